import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { memoryFolder } from "../folder.js";
import { readHuggingFaceFolder, writeHuggingFaceFolder } from "../hugging-face-folder.node.js";
import { memoryTensor, readTensorBytes } from "../stored-tensor.js";
import { readHuggingFace } from "./read.js";

const folder = mkdtempSync(join(tmpdir(), "hitherto-"));
afterAll(() => rmSync(folder, { recursive: true }));

const text = (value: string) => new TextEncoder().encode(value);
const config = { model_type: "llama", hidden_size: 8, rope_scaling: null };
const tensors = ["model.norm.weight", "lm_head.weight"].map((name) =>
  memoryTensor(name, [2], "f32", new Float32Array(2).fill(3)),
);

describe("a Hugging Face folder", () => {
  test.each([5e9, 8])("that is written reads back the same, in files of %d bytes", async (maxShardBytes) => {
    const path = join(folder, `model-${maxShardBytes}`);
    const tokenizerFiles = new Map([
      ["tokenizer.json", text('{"version":"1.0"}')],
      ["chat_template.jinja", text("{{ messages }}")],
    ]);
    const generationConfig = { eos_token_id: [1, 2] };
    const contents = { config, generationConfig, tokenizerFiles, tensors };
    const files = await writeHuggingFaceFolder(path, contents, { maxShardBytes });
    expect(files).toHaveLength(maxShardBytes === 8 ? 7 : 5);

    await using read = await readHuggingFaceFolder(path);
    expect(read.config).toEqual(config);
    expect(read.generationConfig).toEqual(generationConfig);
    expect(read.tokenizerFiles).toEqual(["chat_template.jinja", "tokenizer.json"]);
    expect(await read.readText("chat_template.jinja")).toBe("{{ messages }}");
    expect(readFileSync(join(path, "tokenizer.json"), "utf8")).toBe('{"version":"1.0"}');
    for (const tensor of tensors) {
      expect(await readTensorBytes(read.tensors.get(tensor.name)!)).toEqual(await readTensorBytes(tensor));
    }
  });

  test("with pickled weights only is refused, with the way to convert them", async () => {
    const files = new Map([
      ["config.json", text("{}")],
      ["pytorch_model.bin", text("PK")],
    ]);
    const refused = readHuggingFace(memoryFolder(files, "gpt2"));
    await expect(refused).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringMatching(/safe_serialization/),
    });
  });

  test("without configuration, without weights, or absent, is refused naming the file", async () => {
    const refusal = (files: [string, string][]) =>
      readHuggingFace(memoryFolder(new Map(files.map(([name, value]) => [name, text(value)]))));
    await expect(refusal([])).rejects.toThrow(/config\.json: not found/);
    await expect(refusal([["q8.gguf", "GGUF"]])).rejects.toThrow(/config\.json: not found; .* or a file, as q8\.gguf/);
    await expect(refusal([["config.json", "{}"]])).rejects.toThrow(/model\.safetensors: not found/);
    await expect(refusal([["config.json", "[]"]])).rejects.toThrow(/config\.json.*an object expected/);
    await expect(refusal([["config.json", "{"]])).rejects.toMatchObject({ code: "BAD_FORMAT" });
    await expect(readHuggingFaceFolder(join(folder, "absent"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  test("whose weights are a Git LFS pointer says so", async () => {
    const path = join(folder, "model-5000000000");
    writeFileSync(
      join(path, "model.safetensors"),
      "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n",
    );
    await expect(readHuggingFaceFolder(path)).rejects.toThrow(/model\.safetensors: .*git lfs pull/);
  });
});
