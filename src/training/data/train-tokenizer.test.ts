import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dataFolder, describeWithData } from "../../../test/data.js";
import { InvalidValueError, OutOfRangeError, UnknownOptionError } from "../../core/errors.js";
import { openTokenizer } from "../../open-tokenizer.node.js";
import { readTokenizer, textsOf, writeTokenizer } from "./tokenizer-files.node.js";
import { type TrainTokenizerOptions, trainTokenizer } from "./train-tokenizer.js";

const plain = { addSpecialTokens: false };
const translation = { pad: "<pad>", begin: "<s>", end: "</s>", unknown: "<unk>" };

describe("byte-pair vocabularies", () => {
  const texts = ["The cat sat on the mat.", "Le chat était là, sur le tapis.", "THE CAT"];
  const settings = {
    vocabulary: { kind: "bpe", vocabSize: 300 },
    special: translation,
    around: { end: true },
    lowercase: true,
    contextLength: 128,
  } as const;

  test("roles have the first ids, and what is asked for is around texts", async () => {
    const { tokenizer } = await trainTokenizer(texts, settings);
    expect(["<pad>", "<s>", "</s>", "<unk>"].map((token) => tokenizer.tokenId(token))).toEqual([0, 1, 2, 3]);
    expect([tokenizer.padId, tokenizer.beginId, tokenizer.endIds, tokenizer.unknownId]).toEqual([0, 1, [2], 3]);
    const ids = tokenizer.encode("The cat");
    expect([...ids]).toEqual([...tokenizer.encode("the cat", plain), 2]);
    expect(ids.length).toBeLessThan(7);
    expect(tokenizer.decode(ids)).toBe("the cat");
  });

  test("any text survives, and comes back the same from the saved files", async () => {
    const saved = await trainTokenizer(texts, settings);
    const folder = mkdtempSync(join(tmpdir(), "hitherto-tokenizer-"));
    await writeTokenizer(folder, saved);
    const [read, opened] = [await readTokenizer(folder), await openTokenizer(folder)];
    expect([...read.files.keys()].sort()).toEqual(["tokenizer.json", "tokenizer_config.json"]);
    const check = (text: string) => {
      const ids = saved.tokenizer.encode(text);
      expect(opened.encode(text)).toEqual(ids);
      expect(read.tokenizer.encode(text)).toEqual(ids);
      expect(opened.decode(ids)).toBe(text.toLowerCase());
    };
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/[<\u0130Σ]/u.test(text)),
        check,
      ),
      { numRuns: 50 },
    );
    expect([opened.padId, opened.beginId, opened.endIds]).toEqual([0, 1, [2]]);
    rmSync(folder, { recursive: true });
  });

  test("one token may begin and end texts, and more of them have no role", async () => {
    const special = { begin: "<|end|>", end: "<|end|>", others: ["<|user|>"] };
    const { tokenizer } = await trainTokenizer(texts, { vocabulary: settings.vocabulary, special });
    expect([tokenizer.beginId, tokenizer.endIds, tokenizer.tokenId("<|user|>")]).toEqual([0, [0], 1]);
    expect(tokenizer.isSpecial(1)).toBe(true);
    expect(tokenizer.encode("a<|user|>").at(-1)).toBe(1);
  });
});

describe("character vocabularies", () => {
  test("all characters in order, none added", async () => {
    const { tokenizer } = await trainTokenizer(["cab\n", "é😀a"], { vocabulary: { kind: "characters" } });
    expect(Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.tokenText(id))).toEqual([..."\nabcé😀"]);
    const text = "a😀\n\ncabé";
    expect(tokenizer.encode(text).length).toBe(8);
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });
});

describe("word vocabularies", () => {
  test("the most frequent first; the others are unknown", async () => {
    const vocabulary = { kind: "words", vocabSize: 3 } as const;
    const { tokenizer } = await trainTokenizer(["b a b", "c  a b"], { vocabulary });
    expect([...tokenizer.encode("a c b")]).toEqual([2, 0, 1]);
    expect(tokenizer.decode([1, 2])).toBe("b a");
  });

  test("a pattern says what a word is: some are spelled, others named", async () => {
    const { tokenizer } = await trainTokenizer(["'cause", "K AH0 Z", "a-b.c"], {
      vocabulary: { kind: "words", pattern: "[a-z'.\\-]|[A-Z]+[0-9]?" },
      special: { pad: "<pad>", begin: "<s>", end: "</s>" },
    });
    const pieces = (text: string) => [...tokenizer.encode(text, plain)].map((id) => tokenizer.tokenText(id));
    expect(pieces("'cause")).toEqual([..."'cause"]);
    expect(pieces("a-b.c")).toEqual([..."a-b.c"]);
    expect(pieces("Z AH0 K")).toEqual(["Z", "AH0", "K"]);
    expect(pieces("Z!K")).toEqual(["Z", "K"]);
    expect(tokenizer.decode(tokenizer.encode("K AH0 Z", plain))).toBe("K AH0 Z");
    expect(pieces("ZZ")).toEqual(["<unk>"]);
  });
});

test("a vocabulary of bytes needs no texts, and encodes any", async () => {
  const { tokenizer } = await trainTokenizer([], { vocabulary: { kind: "bytes" }, special: { end: "<end>" } });
  expect(tokenizer.vocabSize).toBe(257);
  expect(tokenizer.decode(tokenizer.encode("äß😀"))).toBe("äß😀");
  expect(tokenizer.encode("äß😀").length).toBe(8);
});

test.each([
  [{ vocabulary: { kind: "unigram" } }, InvalidValueError],
  [{}, InvalidValueError],
  [{ vocabulary: { kind: "bpe", vocabSize: 100 } }, OutOfRangeError],
  [{ vocabulary: { kind: "characters", vocabSize: 100 } }, UnknownOptionError],
  [{ vocabulary: { kind: "characters" }, around: { end: true } }, InvalidValueError],
  [{ vocabulary: { kind: "characters" }, special: { mask: "<mask>" } }, UnknownOptionError],
  [{ vocabulary: { kind: "characters" }, seed: 1 }, UnknownOptionError],
  [{ vocabulary: { kind: "words", pattern: "" } }, InvalidValueError],
  [{ vocabulary: { kind: "characters" }, lowercase: "yes" }, InvalidValueError],
])("settings %o are refused", async (settings, error) => {
  await expect(trainTokenizer(["a"], settings as TrainTokenizerOptions)).rejects.toThrow(error);
});

test("stops when it is told to", async () => {
  const reason = new Error("enough");
  const options = { vocabulary: { kind: "characters" }, signal: AbortSignal.abort(reason) } as const;
  await expect(trainTokenizer(["a"], options)).rejects.toBe(reason);
});

test("texts of files: both sides of pairs, or one, as they will be tokenized", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hitherto-texts-"));
  writeFileSync(join(folder, "a.tsv"), "Go.\tVa !\n");
  const config = { kind: "tsv", files: "a.tsv", normalize: { source: { lowercase: true, moses: "en" } } } as const;
  const read = async (side?: "source" | "target") => {
    const texts: string[] = [];
    for await (const text of textsOf(config, { folder, side })) texts.push(text);
    return texts;
  };
  expect([await read(), await read("source"), await read("target")]).toEqual([["go .", "Va !"], ["go ."], ["Va !"]]);
  rmSync(folder, { recursive: true });
});

const texts = dataFolder("text") ?? "";
describeWithData("text", "tinyshakespeare", () => {
  test("has nanoGPT's 65 characters, and comes back as it was", async () => {
    const text = readFileSync(join(texts, "tinyshakespeare.txt"), "utf8");
    const files = join(texts, "tinyshakespeare.txt");
    const { tokenizer } = await trainTokenizer(textsOf({ kind: "text", files }), {
      vocabulary: { kind: "characters" },
    });
    expect(tokenizer.vocabSize).toBe(65);
    expect([...tokenizer.encode("First Citizen")]).toEqual([18, 47, 56, 57, 58, 1, 15, 47, 58, 47, 64, 43, 52]);
    const ids = tokenizer.encode(text);
    expect(ids.length).toBe(text.length);
    expect(tokenizer.decode(ids.subarray(0, 1000))).toBe(text.slice(0, 1000));
  });
});
