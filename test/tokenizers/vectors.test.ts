/** Every tokenization in `data/tokenizers` whose vocabulary is there. What cannot be run is in `docs/tokenizers.md`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { openFileSource } from "../../src/formats/file-source.node.js";
import { readGguf } from "../../src/formats/gguf/read.js";
import {
  readBertVocab,
  readGgufTokenizer,
  readGpt2Files,
  readSentencePiece,
  readTiktoken,
  readWordList,
  type Tokenizer,
  whisperSpecialTokens,
} from "../../src/tokenizers/index.js";
import type { PipelineTokenizer } from "../../src/tokenizers/pipeline.js";
import { describeWithData } from "../data.js";

async function ggufTokenizer(path: string): Promise<PipelineTokenizer> {
  const source = await openFileSource(path);
  const { metadata } = await readGguf(source);
  await source.close();
  return readGgufTokenizer(metadata.entries);
}

describeWithData("tokenizers/gguf-vocab", "vocabularies in GGUF files give llama.cpp's ids", (folder) => {
  for (const name of ["bert-bge", "falcon", "gpt-2", "llama-spm", "phi-3", "refact"]) {
    test(name, async () => {
      const path = join(folder, `ggml-vocab-${name}.gguf`);
      const tokenizer = await ggufTokenizer(path);
      const inputs = readFileSync(`${path}.inp`, "utf8").split("\n__ggml_vocab_test__\n");
      const outputs = readFileSync(`${path}.out`, "utf8").split("\n");
      const expected = inputs.map((_, i) => outputs[i].trim().split(/\s+/).filter(Boolean).map(Number));
      const actual = inputs.map((text) => [...tokenizer.encode(text, { addSpecialTokens: false })]);
      expect(actual).toEqual(expected);
    });
  }
});

interface Vector {
  readonly input: string;
  readonly encoded: { readonly input_ids: readonly number[] };
  readonly decoded_with_special: string;
  readonly decoded_without_special: string;
}

describeWithData("tokenizers", "Hugging Face vectors", (folder) => {
  const read = (path: string) => readFileSync(join(folder, path), "utf8");
  const vectors: Record<string, Vector[]> = JSON.parse(read("hf-vectors/tokenizer_tests.json"));
  const whisper = (file: string, ranks: number) => {
    const specialTokens = whisperSpecialTokens(ranks);
    const id = (token: string) => specialTokens[`<|${token}|>`];
    const template = { before: [id("startoftranscript"), id("notimestamps")], after: [id("endoftext")] };
    return readTiktoken(read(`whisper/${file}.tiktoken`), { specialTokens, template }).cleaningUpSpaces();
  };
  const makers: Record<string, () => Tokenizer | Promise<Tokenizer>> = {
    "bert-base-uncased": () => readBertVocab(read("bert/vocab.txt")).cleaningUpSpaces(),
    "google-bert/bert-base-uncased": () => readBertVocab(read("bert/vocab.txt")).cleaningUpSpaces(),
    distilgpt2: () => readGpt2Files(read("gpt2/vocab.json"), read("gpt2/merges.txt")).cleaningUpSpaces(),
    "coreml-projects/Llama-2-7b-chat-coreml": () =>
      readSentencePiece(readFileSync(join(folder, "llama2/tokenizer.model"))),
    "tiiuae/falcon-7b": async () =>
      (await ggufTokenizer(join(folder, "gguf-vocab/ggml-vocab-falcon.gguf"))).cleaningUpSpaces(),
    "openai/whisper-tiny.en": () => whisper("gpt2", 50256),
    "openai/whisper-large-v2": () => whisper("multilingual", 50257),
  };

  const longTexts: Record<string, string> = {
    "bert-base-uncased": "bert_uncased_encoded",
    distilgpt2: "gpt2_encoded_tokens",
    "coreml-projects/Llama-2-7b-chat-coreml": "llama_encoded",
    "tiiuae/falcon-7b": "falcon_encoded",
    "openai/whisper-tiny.en": "whisper_tiny_en_encoded",
    "openai/whisper-large-v2": "whisper_large_v2_encoded",
  };

  for (const [name, file] of Object.entries(longTexts)) {
    test(`${name}, a longer text`, async () => {
      const tokenizer = await makers[name]();
      const { text, token_ids, decoded_text } = JSON.parse(read(`hf-vectors/${file}.json`));
      const addSpecialTokens = token_ids.length === tokenizer.encode(text).length;
      expect([...tokenizer.encode(text, { addSpecialTokens })]).toEqual(token_ids);
      expect(tokenizer.decode(token_ids, { skipSpecialTokens: false })).toBe(decoded_text);
    });
  }

  for (const [name, make] of Object.entries(makers)) {
    test(name, async () => {
      const tokenizer = await make();
      for (const vector of vectors[name]) {
        expect([...tokenizer.encode(vector.input)], vector.input).toEqual(vector.encoded.input_ids);
        expect(tokenizer.decode(vector.encoded.input_ids, { skipSpecialTokens: false })).toBe(
          vector.decoded_with_special,
        );
        expect(tokenizer.decode(vector.encoded.input_ids)).toBe(vector.decoded_without_special);
      }
    });
  }
});

describeWithData("ct2-aren-transliteration", "a CTranslate2 vocabulary of characters", (folder) => {
  const file = (name: string) => readFileSync(join(folder, "float32", name), "utf8");
  const source = readWordList(file("source_vocabulary.txt"));
  const target = readWordList(file("target_vocabulary.txt"));

  test("has the unknown token one id past the last line", () => {
    expect(source).toMatchObject({ vocabSize: 51, unknownId: 50 });
    expect(target).toMatchObject({ vocabSize: 43, unknownId: 42, beginId: 1, endIds: [2] });
  });

  test("covers the published inputs and outputs, one id a character", () => {
    const { translate } = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8"));
    for (const { input, output } of translate as { input: string[]; output: string[] }[]) {
      expect([...source.encode(input.join(""))]).toEqual(input.map((token) => source.tokenId(token) ?? 50));
      expect(target.decode(target.encode(output.join("")))).toBe(output.join(""));
    }
  });
});

describeWithData("tokenizers/bert", "BERT on ten thousand questions", (folder) => {
  const unzip = (name: string) => JSON.parse(gunzipSync(readFileSync(join(folder, name))).toString("utf8"));

  test("ids equal the reference", () => {
    const tokenizer = readBertVocab(readFileSync(join(folder, "vocab.txt"), "utf8"));
    const questions: { original: string; wordpiece: string[] }[] = unzip("question_tokens.json.gz");
    const expectedIds: number[][] = unzip("tokenized_questions.json.gz");
    expect(questions.length).toBe(expectedIds.length);
    questions.forEach(({ original, wordpiece }, i) => {
      const ids = [...tokenizer.encode(original, { addSpecialTokens: false })];
      expect(ids, original).toEqual(expectedIds[i]);
      expect(ids.map((id) => tokenizer.tokenText(id))).toEqual(wordpiece);
    });
  });
});
