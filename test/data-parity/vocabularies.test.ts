/** Vocabularies as published, written in GGUF's form and in Hugging Face's: the same ids and the same text. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { GgufMetadata } from "../../src/formats/index.js";
import { readGgufFile } from "../../src/formats/index.node.js";
import type { OpenedCheckpoint } from "../../src/models/checkpoint.js";
import { vocabularyOf } from "../../src/models/convert/vocabulary/of-checkpoint.js";
import { toGgufMetadata } from "../../src/models/convert/vocabulary/to-gguf.js";
import { toTokenizerFiles } from "../../src/models/convert/vocabulary/to-tokenizer-json.js";
import { loadTokenizer, readGgufTokenizer, type Tokenizer } from "../../src/tokenizers/index.js";
import { describeWithData } from "../data.js";

describeWithData("tokenizers", "a vocabulary in another format", (folder) => {
  const samples = readFileSync(join(folder, "gguf-vocab/ggml-vocab-gpt-2.gguf.inp"), "utf8")
    .split("\n__ggml_vocab_test__\n")
    // A SentencePiece tokenizer of Hugging Face's reads each piece around a special token for itself.
    .filter((text) => !/<[|/]?\w/.test(text));

  test("the samples are enough", () => expect(samples.length).toBeGreaterThan(30));

  async function fromGguf(name: string): Promise<OpenedCheckpoint> {
    await using file = await readGgufFile(join(folder, `gguf-vocab/ggml-vocab-${name}.gguf`));
    const tokenizer = readGgufTokenizer(file.metadata.entries);
    return { gguf: file, tokenizer: { tokenizer, source: "GGUF metadata" } } as unknown as OpenedCheckpoint;
  }

  function fromFiles(names: Record<string, string>): OpenedCheckpoint {
    const files = new Map(Object.entries(names).map(([name, path]) => [name, readFileSync(join(folder, path))]));
    const tokenizer = loadTokenizer({ files: Object.fromEntries(files) });
    return { files: async () => files, tokenizer } as unknown as OpenedCheckpoint;
  }

  const sources: [string, () => OpenedCheckpoint | Promise<OpenedCheckpoint>][] = [
    ...["gpt-2", "llama-spm", "phi-3", "refact", "falcon"].map((name): [string, () => Promise<OpenedCheckpoint>] => [
      `GGUF ${name}`,
      () => fromGguf(name),
    ]),
    ["tokenizer.json of GPT-NeoX", () => fromFiles({ "tokenizer.json": "gpt-neox/tokenizer.json" })],
    ["GPT-2's files", () => fromFiles({ "vocab.json": "gpt2/vocab.json", "merges.txt": "gpt2/merges.txt" })],
    ["Llama 2's SentencePiece model", () => fromFiles({ "tokenizer.model": "llama2/tokenizer.model" })],
    ["Mistral's SentencePiece model", () => fromFiles({ "tokenizer.model": "mistral/tokenizer.model.v1" })],
    ["llama2.c's vocabulary", () => fromFiles({ "tokenizer.bin": "llama2/tokenizer.bin" })],
  ];

  test.each(sources)("%s", async (_, open) => {
    const checkpoint = await open();
    const { tokenizer } = checkpoint.tokenizer!;
    const vocabulary = (await vocabularyOf(checkpoint))!;
    const files = Object.fromEntries(toTokenizerFiles(vocabulary, 2048));
    const hf = loadTokenizer({ files }).tokenizer;
    same(hf, tokenizer, "as tokenizer.json");
    const metadata = toGgufMetadata(vocabulary, tokenizer.vocabSize);
    same(readGgufTokenizer(metadata), tokenizer, "as GGUF");
    // And from there back: nothing is lost on the way.
    const opened = { gguf: { metadata: new GgufMetadata(metadata) }, tokenizer: { tokenizer } };
    expect(toGgufMetadata((await vocabularyOf(opened as unknown as OpenedCheckpoint))!, tokenizer.vocabSize)).toEqual(
      metadata,
    );
  });

  function same(actual: Tokenizer, expected: Tokenizer, title: string): void {
    for (const text of samples) {
      const ids = Array.from(expected.encode(text));
      expect(Array.from(actual.encode(text)), `${title}: ${JSON.stringify(text)}`).toEqual(ids);
      expect(actual.decode(ids), title).toBe(expected.decode(ids));
    }
    expect(actual.beginId, title).toBe(expected.beginId);
    expect(actual.endIds[0], title).toBe(expected.endIds[0]);
  }
});
