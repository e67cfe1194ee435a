/** GGUF files laid out as llama.cpp lays them out, against PyTorch's logits for the same weights. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadModel } from "../../src/load-model.node.js";
import { availableBackends } from "../support/backends.js";
import { checkGreedy, checkLogits, contextFor, readReference } from "./reference.js";

const folder = dirname(fileURLToPath(import.meta.url));
const cases = readdirSync(join(folder, "gguf")).map((file) => file.replace(/\.gguf$/, ""));
const backends = (process.env.HITHERTO_PARITY_BACKENDS?.split(",") ?? availableBackends) as typeof availableBackends;

describe.each(backends)("GGUF on %s", (backend) => {
  test.each(cases)("%s", async (name) => {
    const reference = await readReference(join(folder, "fixtures", name));
    expect(reference.has("logits_0")).toBe(true);
    for (let i = 0; reference.has(`logits_${i}`); i++) {
      const contextLength = contextFor(name, reference, i);
      await using model = await loadModel(join(folder, "gguf", `${name}.gguf`), { backend, contextLength });
      await checkLogits(model, reference, i);
      if (i === 0) await checkGreedy(model, reference);
    }
  });
});
