import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeWithData } from "../../test/data.js";
import { readBertVocab } from "./formats/bert-vocab.js";
import { readGpt2Files } from "./formats/gpt2-files.js";
import { readSentencePiece } from "./formats/sentencepiece/index.js";
import {
  byteFallbackDecoder,
  byteLevelDecoder,
  decoderSequence,
  fuse,
  metaspaceDecoder,
  wordPieceDecoder,
} from "./stages/decoders.js";
import { tokenBytesBy } from "./token-bytes.js";
import type { Tokenizer } from "./tokenizer.js";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe("the bytes of a token", () => {
  test("are those of its alphabet, halves of characters too", () => {
    const bytes = tokenBytesBy(byteLevelDecoder);
    expect(text(bytes("Ġthe", false))).toBe(" the");
    expect([...bytes("Ã", false)]).toEqual([0xc3]);
    expect(text(bytes("<0x41>", false))).toBe("<0x41>");
  });

  test("of byte fallback are the byte; a leading space is left out at the start of a text", () => {
    const bytes = tokenBytesBy(decoderSequence([metaspaceDecoder("▁", true), byteFallbackDecoder, fuse]));
    expect(text(bytes("▁the", false))).toBe(" the");
    expect(text(bytes("▁the", true))).toBe("the");
    expect([...bytes("<0xC3>", false)]).toEqual([0xc3]);
    expect(text(bytes("日", true))).toBe("日");
  });

  test("of words have the space that joins them", () => {
    const bytes = tokenBytesBy(wordPieceDecoder("##", false));
    expect(text(bytes("the", false))).toBe(" the");
    expect(text(bytes("the", true))).toBe("the");
    expect(text(bytes("##ing", false))).toBe("ing");
  });
});

describeWithData("tokenizers", "the bytes of all tokens of a text, joined", (folder) => {
  const read = (path: string) => readFileSync(join(folder, path));
  const tokenizers: Readonly<Record<string, () => Tokenizer>> = {
    "GPT-2": () => readGpt2Files(String(read("gpt2/vocab.json")), String(read("gpt2/merges.txt"))),
    "Llama 2": () => readSentencePiece(read("llama2/tokenizer.model")),
    BERT: () => readBertVocab(String(read("bert/vocab.txt"))),
  };
  test.each(Object.keys(tokenizers))("are those of the text: %s", (name) => {
    const tokenizer = tokenizers[name]();
    for (const sample of ['{"a b": [1.5, null]}', "Grüße, 日本語 😀\n\ttab", "  two  spaces"]) {
      const ids = [...tokenizer.encode(sample)].filter((id) => !tokenizer.isSpecial(id));
      const parts = ids.map((id, i) => [...(tokenizer.tokenBytes(id, { atStart: i === 0 }) ?? [])]);
      expect(text(Uint8Array.from(parts.flat()))).toBe(tokenizer.decode(ids));
    }
    expect(tokenizer.tokenBytes(tokenizer.vocabSize + 5)).toBeUndefined();
  });
});
