/** Guidance, contrastive search and DoLa against transformers 4.49, the last that had all three in `generate`. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { ContrastiveOptions, DolaOptions } from "../../src/generation/guides/options.js";
import { loadModel } from "../../src/load-model.node.js";
import { availableBackends } from "../support/backends.js";

interface Case {
  readonly guidance?: { readonly scale: number; readonly negative: readonly number[] | null };
  readonly contrastive?: ContrastiveOptions;
  readonly dola?: DolaOptions;
  readonly prompt: readonly number[];
  readonly ids: readonly number[];
}

const folder = dirname(fileURLToPath(import.meta.url));
const names = readdirSync(join(folder, "guides")).map((file) => file.replace(/\.json$/, ""));

function optionsOf({ guidance, contrastive, dola }: Case) {
  if (guidance === undefined) return { contrastive, dola };
  return { guidance: { scale: guidance.scale, negative: guidance.negative ?? undefined } };
}

describe.each(availableBackends)("guides as PyTorch's on %s", (backend) => {
  test.each(names)("%s", { timeout: 60_000 }, async (name) => {
    const text = readFileSync(join(folder, "guides", `${name}.json`), "utf8");
    const { cases } = JSON.parse(text) as { readonly cases: Case[] };
    expect(cases.length).toBeGreaterThan(7);
    const path = join(folder, name === "stories-tiny" ? "../fixtures" : "fixtures", name);
    await using model = await loadModel(path, { backend, contextLength: 48 });
    // The slow backend proves nothing more with each case than with some.
    for (const each of cases.filter((_, i) => backend !== "reference" || i % 8 === 0)) {
      const isDecoder = model.config.kind === "decoder-only";
      using session = await model.session(isDecoder ? each.prompt : { source: each.prompt }, optionsOf(each));
      expect(await session.take(each.ids.length), JSON.stringify(each)).toEqual(each.ids);
    }
  });
});
