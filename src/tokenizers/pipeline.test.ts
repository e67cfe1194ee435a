import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { InvalidValueError, OutOfRangeError, UnknownOptionError, UnsupportedError } from "../core/errors.js";
import { readGgufTokenizer } from "./formats/gguf/index.js";
import { readSentencePiece } from "./formats/sentencepiece/index.js";
import { readTiktoken, whisperSpecialTokens } from "./formats/tiktoken.js";
import { readTokenizerJson } from "./formats/tokenizer-json/index.js";
import { characterTokenizer, readWordList } from "./formats/word-list.js";
import { byteAlphabet } from "./text/bytes.js";

const fixture = JSON.parse(
  readFileSync(new URL("../../test/fixtures/tokenizers/tokenizers.json", import.meta.url), "utf8"),
);
const json = (name: string) => fixture.tokenizers.find((entry: { name: string }) => entry.name === name).tokenizer;
const byteLevel = readTokenizerJson(json("bpe-byte-level"));
const llama = readTokenizerJson(json("bpe-llama"));

describe("a tokenizer", () => {
  test("reads special tokens from text, or their characters", () => {
    const end = byteLevel.tokenId("<|end|>")!;
    expect(byteLevel.encode("a<|end|>")).toContain(end);
    const plain = byteLevel.encode("a<|end|>", { parseSpecialTokens: false });
    expect(plain).not.toContain(end);
    expect(byteLevel.decode(plain)).toBe("a<|end|>");
    expect(byteLevel.isSpecial(end)).toBe(true);
  });

  test("adds what the model expects around a text, or not", () => {
    expect(llama.encode("lamp")[0]).toBe(1);
    expect(llama.encode("lamp", { addSpecialTokens: false })[0]).not.toBe(1);
  });

  test("unpaired surrogates count as U+FFFD", () => {
    expect(byteLevel.decode(byteLevel.encode("a\ud800b\udc00"))).toBe("a\ufffdb\ufffd");
  });

  test("ids beyond the vocabulary decode to nothing; what is no id is refused", () => {
    expect(byteLevel.decode([byteLevel.vocabSize, 1_000_000])).toBe("");
    expect(() => byteLevel.decode([-1])).toThrow(OutOfRangeError);
    expect(() => byteLevel.decode([0.5])).toThrow(OutOfRangeError);
    expect(() => byteLevel.tokenText(byteLevel.vocabSize)).toThrow(OutOfRangeError);
  });

  test("options that do not exist are errors, and so is text that is no text", () => {
    expect(() => byteLevel.encode("a", { addBos: true } as never)).toThrow(UnknownOptionError);
    expect(() => byteLevel.decode([], { skipSpecial: true } as never)).toThrow(UnknownOptionError);
    expect(() => byteLevel.encode(7 as never)).toThrow(InvalidValueError);
  });
});

describe("streaming", () => {
  test("never gives half a character", () => {
    const stream = byteLevel.stream();
    const parts = Array.from(byteLevel.encode("日😀"), (id) => stream.push(id));
    expect(parts.filter((part) => part !== "")).toEqual(["日", "😀"]);
    expect(stream.flush()).toBe("");
  });

  test("an unfinished character comes out as U+FFFD at the end", () => {
    const stream = byteLevel.stream();
    expect(stream.push(byteLevel.tokenId(byteAlphabet[0xe6])!)).toBe("");
    expect(stream.flush()).toBe("\ufffd");
    expect(() => stream.push(0)).toThrow(InvalidValueError);
  });

  test("after a prompt, a leading space belongs to the text", () => {
    const token = llama.tokenId("▁th")!;
    expect(llama.stream().push(token)).toBe("th");
    expect(llama.stream({ after: llama.encode("to") }).push(token)).toBe(" th");
  });
});

describe("unsupported parts of tokenizer.json are refused by name", () => {
  test.each<[name: string, part: object, message: RegExp]>([
    ["a normalizer", { normalizer: { type: "Magic" } }, /normalizer "Magic"/],
    ["a pre-tokenizer", { pre_tokenizer: { type: "UnicodeScripts" } }, /pre-tokenizer "UnicodeScripts"/],
    ["a decoder", { decoder: { type: "CTC" } }, /decoder "CTC"/],
    ["a post-processor", { post_processor: { type: "Other" } }, /post-processor "Other"/],
    ["a model", { model: { type: "Neural" } }, /tokenizer model "Neural"/],
    ["dropout", { model: { ...json("bpe-byte-level").model, dropout: 0.1 } }, /BPE dropout/],
  ])("%s", (_, part, message) => {
    expect(() => readTokenizerJson({ ...json("bpe-byte-level"), ...part })).toThrow(UnsupportedError);
    expect(() => readTokenizerJson({ ...json("bpe-byte-level"), ...part })).toThrow(message);
  });
});

describe("vocabularies of other formats", () => {
  const bytes = byteAlphabet.map((_, byte) => `${btoa(String.fromCharCode(byte))} ${byte}`);

  test("tiktoken ranks with a pattern and special tokens", () => {
    const tokenizer = readTiktoken([...bytes, `${btoa("ab")} 256`, `${btoa(" ab")} 257`].join("\n"), {
      pattern: "\\s?\\p{L}+|.",
      specialTokens: { "<|endoftext|>": 258 },
      roles: { endIds: [258] },
    });
    expect([...tokenizer.encode("ab ab<|endoftext|>")]).toEqual([256, 257, 258]);
    expect(tokenizer.decode([257, 258])).toBe(" ab");
  });

  test("Whisper's special tokens have their published ids", () => {
    const tokens = whisperSpecialTokens(50257);
    expect(tokens).toMatchObject({ "<|en|>": 50259, "<|su|>": 50357, "<|notimestamps|>": 50363, "<|30.00|>": 51864 });
    expect(whisperSpecialTokens(50257, 100)).toMatchObject({ "<|yue|>": 50358, "<|30.00|>": 51865 });
  });

  test("GGUF metadata of a byte-level vocabulary", () => {
    const tokens = [...byteAlphabet, "ab", "<|end|>"];
    const metadata = new Map<string, unknown>([
      ["tokenizer.ggml.model", "gpt2"],
      ["tokenizer.ggml.pre", "llama-bpe"],
      ["tokenizer.ggml.tokens", tokens],
      ["tokenizer.ggml.token_type", Int32Array.from(tokens, (token) => (token === "<|end|>" ? 3 : 1))],
      ["tokenizer.ggml.merges", ["a b"]],
      ["tokenizer.ggml.bos_token_id", 257],
      ["tokenizer.ggml.eos_token_id", { type: "u32", value: 257 }],
    ]);
    const tokenizer = readGgufTokenizer(metadata);
    expect([...tokenizer.encode("ab")]).toEqual([257, 256]);
    expect(tokenizer.endIds).toEqual([257]);
    expect(() => readGgufTokenizer(new Map([...metadata, ["tokenizer.ggml.pre", "novel"]]))).toThrow(/"novel"/);
    expect(() => readGgufTokenizer(new Map([...metadata, ["tokenizer.ggml.model", "rwkv"]]))).toThrow(UnsupportedError);
  });

  test("GGUF metadata of a SentencePiece vocabulary", () => {
    const tokenizer = readGgufTokenizer(
      new Map<string, unknown>([
        ["tokenizer.ggml.model", "llama"],
        ["tokenizer.ggml.tokens", ["<unk>", "<s>", "</s>", "▁", "a", "b", "ab", "▁ab"]],
        ["tokenizer.ggml.scores", Float32Array.of(0, 0, 0, -3, -4, -5, -1, -2)],
        ["tokenizer.ggml.token_type", [2, 3, 3, 1, 1, 1, 1, 1]],
        ["tokenizer.ggml.unknown_token_id", 0],
      ]),
    );
    expect([...tokenizer.encode("ab ba</s>")]).toEqual([1, 7, 3, 5, 4, 2]);
    expect(tokenizer.decode([1, 7, 7])).toBe("ab ab");
  });

  test("a character tokenizer covers its text", () => {
    const tokenizer = characterTokenizer("hello world");
    expect(tokenizer.decode(tokenizer.encode("hold"))).toBe("hold");
    expect(tokenizer.vocabSize).toBe(2 + 8 + 1);
    expect([...tokenizer.encode("hz")]).toEqual([tokenizer.tokenId("h"), tokenizer.unknownId]);
  });

  test("a word list splits at spaces and joins by them", () => {
    const tokenizer = readWordList("the\nlamp\n", { unit: "words" });
    expect([...tokenizer.encode("the  lamp ship")]).toEqual([0, 1, 2]);
    expect(tokenizer.decode([0, 1])).toBe("the lamp");
  });

  test("SentencePiece control symbols are read from text unless told otherwise", () => {
    const { model } = fixture.sentencepiece.find((entry: { name: string }) => entry.name === "sp-unigram-bytes");
    const tokenizer = readSentencePiece(Buffer.from(model, "base64"));
    const control = tokenizer.tokenId("<ctl>")!;
    expect(tokenizer.encode("lamp<ctl>")).toContain(control);
    expect(tokenizer.encode("lamp<ctl>", { parseSpecialTokens: false })).not.toContain(control);
  });
});
