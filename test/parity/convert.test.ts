/** Every decoder-only fixture to GGUF and back: the same logits on the way, the same tensors at the end. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { convertCheckpoint } from "../../src/convert.node.js";
import { readTensorFloats, writeGguf } from "../../src/formats/index.js";
import { createFileSink, readGgufFile, readHuggingFaceFolder } from "../../src/formats/index.node.js";
import { loadModel } from "../../src/load-model.node.js";
import { toGguf } from "../../src/models/convert/to-gguf.js";
import { isComputedBuffer } from "../../src/models/gguf/names.js";
import { randomLlama, smallShape } from "../support/random-llama.js";
import { checkGreedy, checkLogits, contextFor, readReference } from "./reference.js";

const fixtures = join(dirname(fileURLToPath(import.meta.url)), "fixtures");
const cases = readdirSync(fixtures).filter((name) => /^(llama|mistral|qwen|gemma|phi|gpt)/.test(name));
const out = mkdtempSync(join(tmpdir(), "hitherto-convert-"));
afterAll(() => rmSync(out, { recursive: true }));

describe.each(cases)("%s", (name) => {
  const source = join(fixtures, name);
  const gguf = join(out, `${name}.gguf`);
  const back = join(out, name);

  test("as GGUF gives PyTorch's logits", async () => {
    await convertCheckpoint(source, gguf, { to: "gguf" });
    const reference = await readReference(source);
    expect(reference.has("logits_0")).toBe(true);
    for (let i = 0; reference.has(`logits_${i}`); i++) {
      const contextLength = contextFor(name, reference, i);
      await using model = await loadModel(gguf, { backend: "reference", contextLength });
      await checkLogits(model, reference, i);
      if (i === 0) await checkGreedy(model, reference);
    }
  });

  test("comes back from GGUF with the same tensors and the same logits", async () => {
    await convertCheckpoint(gguf, back, { to: "hf" });
    const names = await compareTensors(source, back, name.startsWith("gemma"));
    expect(names).toBeGreaterThan(5);
    const reference = await readReference(source);
    await using model = await loadModel(back, { backend: "reference", contextLength: contextFor(name, reference, 0) });
    await checkLogits(model, reference, 0);
  });
});

/** @param shiftedNorms - norm weights were stored plus one on the way, which rounds them */
async function compareTensors(source: string, back: string, shiftedNorms: boolean): Promise<number> {
  await using before = await readHuggingFaceFolder(source);
  await using after = await readHuggingFaceFolder(back);
  const kept = [...before.tensors.values()].filter(({ name }) => !isComputedBuffer(name));
  for (const tensor of kept) {
    // Names as GPT-2 was published lack the prefix.
    const found = after.tensors.get(tensor.name) ?? after.tensors.get(`transformer.${tensor.name}`);
    if (found === undefined) {
      expect(tensor.name, "left out, since it is the embedding table").toMatch(/^(lm_head|embed_out)\.weight$/);
      expect(JSON.parse(readFileSync(join(back, "config.json"), "utf8"))).toMatchObject({ tie_word_embeddings: true });
      continue;
    }
    expect(found.storage).toBe("f32");
    expect(found.shape).toEqual(tensor.shape);
    const [a, b] = [await readTensorFloats(tensor), await readTensorFloats(found)];
    const rounded = shiftedNorms && /norm\.weight$/.test(tensor.name);
    expect(rounded ? b.map((value) => value + 1) : b, tensor.name).toEqual(rounded ? a.map((value) => value + 1) : a);
  }
  expect(after.tensors.size).toBeLessThanOrEqual(kept.length);
  return kept.length;
}

describe("storage types", () => {
  test.each(["q8_0", "q4_0", "bf16"] as const)("%s: matrices only, where rows are whole blocks", async (type) => {
    const notices: string[] = [];
    const path = join(out, `neox-${type}.gguf`);
    const options = { to: "gguf", type, onNotice: (notice: string) => notices.push(notice) } as const;
    await convertCheckpoint(join(fixtures, "gpt-neox-parallel"), path, options);
    await using file = await readGgufFile(path);
    const storage = (name: string) => file.tensors.get(name)?.storage;
    expect(storage("blk.0.attn_norm.weight")).toBe("f32");
    expect(storage("blk.0.attn_qkv.bias")).toBe("f32");
    expect(storage("blk.0.attn_qkv.weight")).toBe(type);
    // Rows of 52 are no whole blocks.
    expect(storage("blk.0.ffn_down.weight")).toBe(type === "bf16" ? "bf16" : "f16");
    expect(storage("output.weight")).toBe(type === "q4_0" ? "q8_0" : type);
    expect(notices.some((notice) => /become f16/.test(notice))).toBe(type !== "bf16");
  });

  test.each([
    ["q4_k", "q6_k", 14],
    ["q6_k", "q6_k", 18],
    ["mxfp4", "q8_0", 38],
  ] as const)(
    "%s: an output matrix of %s, and the logits of the file that was written",
    async (type, output, number) => {
      const size = { ...smallShape, hiddenSize: 256, headCount: 4, keyValueHeadCount: 2, intermediateSize: 288 };
      const notices: string[] = [];
      const contents = await toGguf(randomLlama(size, "f32"), "random", {
        type,
        onNotice: (text) => notices.push(text),
      });
      const path = join(out, `random-${type}.gguf`);
      await writeGguf(await createFileSink(path), contents);
      await using file = await readGgufFile(path);
      const storage = (name: string) => file.tensors.get(name)?.storage;
      expect(storage("token_embd.weight")).toBe(output);
      expect(storage("blk.0.attn_q.weight")).toBe(type);
      expect(storage("blk.0.attn_v.weight")).toBe(type === "mxfp4" ? "q8_0" : type);
      expect(storage("blk.0.attn_norm.weight")).toBe("f32");
      // Rows of 288 are whole blocks of 32, not of 256.
      expect(storage("blk.0.ffn_down.weight")).toBe(type === "mxfp4" ? type : "q8_0");
      expect(notices.some((notice) => /3 matrices become q8_0.*blk\.0\.ffn_down/.test(notice))).toBe(type !== "mxfp4");
      expect(file.metadata.number("general.file_type")).toBe(number);

      const ids = [1, 17, 300, 42, 8];
      const logits: Float32Array[] = [];
      for (const backend of ["reference", "wasm"] as const) {
        await using model = await loadModel(path, { backend });
        logits.push(await model.logits(ids));
      }
      const largest = Math.max(...logits[0]!.map(Math.abs));
      const errors = ids.map((_, position) => {
        const row = (each: Float32Array) => each.subarray(position * size.vocabSize, (position + 1) * size.vocabSize);
        const expected = row(logits[0]!);
        return Math.max(...row(logits[1]!).map((value, i) => Math.abs(value - expected[i]!))) / largest;
      });
      // An activation halfway between two integers may round either way, which is seen at that position.
      errors.sort((x, y) => x - y);
      expect(errors.at(-2)).toBeLessThan(1e-5);
      expect(errors.at(-1)).toBeLessThan(0.05);
    },
  );

  test.each([
    ["q4_0", "q8_0", 1],
    ["q4_1", "q8_0", 1],
    ["q5_0", "q5_0", 0],
    ["q8_0", "q8_0", 0],
  ] as const)("%s: matrices of keys and values become %s", async (type, expected, told) => {
    const notices: string[] = [];
    const contents = await toGguf(randomLlama(smallShape, "f32"), "random", {
      type,
      onNotice: (text) => notices.push(text),
    });
    const storages = (pattern: RegExp) => [
      ...new Set([...contents.tensors].filter(({ name }) => pattern.test(name)).map(({ storage }) => storage)),
    ];
    expect(storages(/attn_[kv]\.weight$/)).toEqual([expected]);
    expect(storages(/(attn_q|attn_output|ffn_.*)\.weight$/).filter((each) => each !== "f32")).toEqual([type]);
    expect(notices.filter((notice) => /^6 matrices of keys and values become q8_0/.test(notice))).toHaveLength(told);
  });

  test("keys and values that are stored with four bits stay as they are", async () => {
    const random = randomLlama({ ...smallShape, hiddenSize: 64, headCount: 4, keyValueHeadCount: 2 }, "q4_0");
    const [first, again] = [join(out, "random-q4_0.gguf"), join(out, "random-q4_0-again.gguf")];
    await writeGguf(await createFileSink(first), await toGguf(random, "random"));
    await convertCheckpoint(first, again, { to: "gguf", type: "q4_0" });
    await using file = await readGgufFile(again);
    expect(file.tensors.get("blk.2.attn_v.weight")?.storage).toBe("q4_0");
  });

  test("a Hugging Face folder in another type says so in its configuration", async () => {
    const path = join(out, "llama-bf16");
    await convertCheckpoint(join(fixtures, "llama-mqa"), path, { to: "hf", type: "bf16" });
    await using folder = await readHuggingFaceFolder(path);
    expect([...folder.tensors.values()].every(({ storage }) => storage === "bf16")).toBe(true);
    expect(folder.config.dtype).toBe("bfloat16");
  });
});

describe("what GGUF cannot say", () => {
  const noticesFor = async (name: string): Promise<string> => {
    const notices: string[] = [];
    const onNotice = (notice: string) => notices.push(notice);
    await convertCheckpoint(join(fixtures, name), join(out, "noticed.gguf"), { to: "gguf", force: true, onNotice });
    return notices.join("\n");
  };

  test("is told, and nothing else is", async () => {
    expect(await noticesFor("gpt2-gelu-unscaled-attention")).toMatch(/no keys for decoder\.feedForward\.activation/);
    expect(await noticesFor("mistral-window")).toMatch(/does not apply the sliding window/);
    expect(await noticesFor("gemma2-no-capping-untied")).toMatch(/will not open this file.*knows no output\.weight/);
    for (const name of ["llama-rope-llama3", "qwen3-tied", "gemma2", "gemma3-six-layers", "phi3-longrope", "gpt2"]) {
      expect(await noticesFor(name), name).toBe("no tokenizer: GGUF without one");
    }
  });

  test("does not include a window in any regular pattern", async () => {
    expect(await noticesFor("gemma3-rope-linear")).not.toMatch(/window/);
  });
});

describe("the output", () => {
  const source = join(fixtures, "llama-mqa");

  test("replaces nothing unless asked to", async () => {
    const path = join(out, "twice.gguf");
    await convertCheckpoint(source, path, { to: "gguf" });
    await expect(convertCheckpoint(source, path, { to: "gguf" })).rejects.toMatchObject({ code: "OUTPUT_EXISTS" });
    await convertCheckpoint(source, path, { to: "gguf", force: true });
    await expect(convertCheckpoint(source, source, { to: "hf", force: true })).rejects.toMatchObject({
      code: "INVALID_VALUE",
    });
  });

  test("leaves nothing behind when it is aborted", async () => {
    for (const to of ["gguf", "hf"] as const) {
      const controller = new AbortController();
      const options = { to, signal: controller.signal, onProgress: () => controller.abort(new Error("enough")) };
      await expect(convertCheckpoint(source, join(out, `aborted-${to}`), options)).rejects.toThrow("enough");
      expect(readdirSync(out).filter((file) => file.startsWith("aborted"))).toEqual([]);
    }
  });

  test("has a type that its format can hold, and a model that it can describe", async () => {
    const path = join(out, "refused");
    await expect(convertCheckpoint(source, path, { to: "hf", type: "q6_k" })).rejects.toMatchObject({
      code: "INVALID_VALUE",
    });
    await expect(convertCheckpoint(join(fixtures, "marian"), path, { to: "gguf" })).rejects.toMatchObject({
      code: "UNSUPPORTED",
    });
    expect(readdirSync(out)).not.toContain("refused");
  });
});
