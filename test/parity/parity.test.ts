/** Every family against PyTorch `transformers`: logits of whole prompts and greedy continuations through the cache. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { backendNames, loadModel } from "../../src/load-model.node.js";
import { checkGreedy, checkLogits, contextFor, readReference } from "./reference.js";

const fixtures = join(dirname(fileURLToPath(import.meta.url)), "fixtures");
const cases = readdirSync(fixtures, { withFileTypes: true }).filter(
  (entry) => entry.isDirectory() && entry.name !== "stories-tiny",
);
const backends = (process.env.HITHERTO_PARITY_BACKENDS?.split(",") ?? backendNames) as typeof backendNames;

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
    }
  });
});
