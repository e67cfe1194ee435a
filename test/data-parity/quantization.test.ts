/** What quantization costs the smallest published Llama, on the kind of text that it was trained on. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { convertCheckpoint } from "../../src/convert.node.js";
import { compare } from "../../src/generation/compare.js";
import { loadModel } from "../../src/load-model.node.js";
import { describeWithData } from "../data.js";
import { availableBackends } from "../support/backends.js";
import { temporaryFolder } from "../support/tiny-checkpoint.js";

const [backend] = availableBackends;
/** Some 7,600 tokens, on which Q8_0 loses 0.1 % and Q4_0 3.3 %; on all 944 kB Q4_0 loses 3.5 % (bench/LOG.md). */
const bytes = 16_000;

describeWithData(["llama2c-stories260K", "text"], "perplexity of quantized stories260K", (folder, texts) => {
  test.each([
    ["q8_0", 0.005, 0.005],
    ["q4_0", 0.05, 0.06],
  ] as const)("%s stays near float32", { timeout: 60_000 }, async (type, mostLoss, mostDivergence) => {
    const original = join(folder, "stories260K.bin");
    const quantized = join(temporaryFolder(), `${type}.gguf`);
    await convertCheckpoint(original, quantized, { to: "gguf", type, tokenizer: join(folder, "tok512.bin") });
    const text = readFileSync(join(texts, "tinystories_sample.txt"), "utf8").slice(0, bytes);
    await using model = await loadModel(quantized, { backend });
    await using other = await loadModel(original, { backend });
    const result = await compare(model, other, text);
    expect(result.tokens).toBeGreaterThan(7_000);
    expect(result.perplexity / result.other.perplexity - 1).toBeLessThan(mostLoss);
    expect(result.klDivergence.mean).toBeLessThan(mostDivergence);
  });
});
