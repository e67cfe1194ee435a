/** Every family against PyTorch `transformers`: logits of whole prompts and greedy continuations through the cache. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { modelFrom } from "../../src/load-model.js";
import { createBackend, loadModel } from "../../src/load-model.node.js";
import { ConfigReader } from "../../src/models/config-reader.js";
import { openCheckpoint } from "../../src/models/open.node.js";
import { availableBackends } from "../support/backends.js";
import { checkDecode, checkGreedy, checkLogits, contextFor, readReference } from "./reference.js";

const fixtures = join(dirname(fileURLToPath(import.meta.url)), "fixtures");
const cases = readdirSync(fixtures, { withFileTypes: true }).filter(
  (entry) => entry.isDirectory() && entry.name !== "stories-tiny",
);
const backends = (process.env.HITHERTO_PARITY_BACKENDS?.split(",") ?? availableBackends) as typeof availableBackends;

describe.each(backends)("parity with PyTorch on %s", (backend) => {
  test.each(cases.map(({ name }) => name))("%s", async (name) => {
    const reference = await readReference(join(fixtures, name));
    const lengths = [...reference.keys()].filter((key) => /^logits_\d+$/.test(key)).map((key) => Number(key.slice(7)));
    expect(lengths.length).toBeGreaterThan(0);
    for (const i of lengths) {
      await using model = await loadModel(join(fixtures, name), {
        backend,
        contextLength: contextFor(name, reference, i),
      });
      await checkLogits(model, reference, i);
      if (i === 0) await checkGreedy(model, reference);
      await checkDecode(model, reference, i);
    }
  });
});

describe("the older spelling of a configuration", () => {
  const legacy = cases.map(({ name }) => name).filter((name) => existsSync(join(fixtures, name, "config.legacy.json")));

  test.each(legacy)("means the same: %s", async (name) => {
    const reference = await readReference(join(fixtures, name));
    const checkpoint = await openCheckpoint(join(fixtures, name));
    const config = JSON.parse(readFileSync(join(fixtures, name, "config.legacy.json"), "utf8")) as Record<
      string,
      unknown
    >;
    const backend = await createBackend({ backend: "reference" });
    const options = { contextLength: contextFor(name, reference, 0) };
    const older = { ...checkpoint, config: new ConfigReader(config, "config.legacy.json") };
    await using model = await modelFrom(older, backend, options, () => backend.dispose());
    await checkLogits(model, reference, 0);
    await checkpoint.close();
  });
});
