import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeWithData } from "../../../test/data.js";
import { OutOfRangeError } from "../../core/errors.js";
import { readTokenizerJson } from "../formats/tokenizer-json/index.js";
import { trainByteBpe } from "./train-byte-bpe.js";

describeWithData("tokenizers/bpe-training", "byte-level BPE training", (folder) => {
  test("gives the reference merges and vocabulary", async () => {
    const corpus = readFileSync(join(folder, "corpus.en"), "utf8");
    const { merges, vocabulary } = await trainByteBpe([corpus], { vocabSize: 500, specialTokens: ["<|endoftext|>"] });

    const expected = readFileSync(join(folder, "reference-merges.txt"), "utf8").trimEnd().split("\n");
    expect(merges.map((pair) => pair.join(" "))).toEqual(expected);
    expect(vocabulary).toEqual(JSON.parse(readFileSync(join(folder, "reference-vocab.json"), "utf8")));
  });
});

describe("byte-level BPE training", () => {
  const corpus = "low low low low low lower lower widest widest widest newest newest newest newest newest newest";

  test("merges the most frequent pair, the greater bytes first among equals", async () => {
    // The worked example of Sennrich et al., with the tie rule of the reference implementation.
    const { merges } = await trainByteBpe([corpus.replaceAll(" ", "\n")], { vocabSize: 262 });
    expect(merges.map((pair) => pair.join("+"))).toEqual(["s+t", "e+st", "o+w", "l+ow", "w+est", "n+e"]);
  });

  test("never merges across documents, special tokens or pre-tokens", async () => {
    const { merges } = await trainByteBpe(["ab<|end|>ab", "ab", "b a"], { vocabSize: 300, specialTokens: ["<|end|>"] });
    expect(merges).toEqual([["a", "b"]]);
  });

  test("what is saved is what was trained", async () => {
    const { tokenizer, tokenizerJson } = await trainByteBpe([corpus], { vocabSize: 280, specialTokens: ["<|end|>"] });
    const saved = readTokenizerJson(JSON.stringify(tokenizerJson));
    const text = "the lowest widest<|end|>newer\n";
    expect(saved.encode(text)).toEqual(tokenizer.encode(text));
    expect(saved.decode(saved.encode(text), { skipSpecialTokens: false })).toBe(text);
  });

  test("stops when no pair is frequent enough", async () => {
    const { tokenizer } = await trainByteBpe(["abcabc"], { vocabSize: 1000 });
    expect(tokenizer.vocabSize).toBe(258);
  });

  test("refuses a vocabulary too small for the bytes", async () => {
    await expect(trainByteBpe([corpus], { vocabSize: 255 })).rejects.toThrow(OutOfRangeError);
  });

  test("stops when it is aborted", async () => {
    const reason = new Error("enough");
    function* endless() {
      for (;;) yield corpus;
    }
    await expect(trainByteBpe(endless(), { vocabSize: 300, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
