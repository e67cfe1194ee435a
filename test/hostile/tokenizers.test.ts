/**
 * Tokenizer files from strangers: damaged in every way, they either work or are refused with a typed error, soon.
 *
 * `HITHERTO_FUZZ` is the number of mutated `tokenizer.json` files; the other formats get a seventh of it each.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  readBertVocab,
  readGpt2Files,
  readLlama2c,
  readSentencePiece,
  readTiktoken,
  readTokenizerJson,
  readWordList,
  type Tokenizer,
} from "../../src/tokenizers/index.js";
import { byteAlphabet } from "../../src/tokenizers/text/bytes.js";
import { type MutationRandom, mutate, mutateJson } from "./mutate.js";
import { survivalTimeoutMs, survive } from "./survive.js";

const total = Number(process.env.HITHERTO_FUZZ ?? 7000);
const perFormat = Math.ceil(total / 7);

const fixture = JSON.parse(readFileSync(new URL("../fixtures/tokenizers/tokenizers.json", import.meta.url), "utf8"));
const text = `${"a".repeat(40)} the keeper's lamp 1987 éß '😀\u200d日本 <|end|><s>   \n\t${"ab ".repeat(12)}!`;

/** Uses a tokenizer that was accepted. */
function exercise(tokenizer: Tokenizer): void {
  const ids = tokenizer.encode(text);
  tokenizer.decode(ids);
  const stream = tokenizer.stream({ skipSpecialTokens: false });
  let streamed = "";
  for (const id of ids) streamed += stream.push(id);
  expect(streamed + stream.flush()).toBe(tokenizer.decode(ids, { skipSpecialTokens: false }));
  tokenizer.decode([0, 1, 2, 3, 258, 1_000_000]);
  tokenizer.tokenId("a");
}

/** Attacks one reader; at least one damaged file must still be accepted, or nothing was tested. */
async function attack(
  format: string,
  count: number,
  damage: (random: MutationRandom) => Uint8Array,
  read: (bytes: Uint8Array) => Tokenizer,
): Promise<void> {
  const survival = await survive({ format, count, damage, read: async (bytes) => exercise(read(bytes)) });
  if (process.env.HITHERTO_FUZZ !== undefined) console.log(format, JSON.stringify(survival));
  expect(survival.accepted).toBeGreaterThan(0);
}

const regex = (source: string) => ({ type: "Split", pattern: { Regex: source }, behavior: "Isolated", invert: false });

/** What a mutation may put anywhere: parts of the format in the wrong place, and patterns made to run for ever. */
const extra: readonly unknown[] = [
  ...["BPE", "Unigram", "WordPiece", "WordLevel", "Sequence", "ByteLevel", "Metaspace", "Split", "Replace", "Fuse"],
  ...["Strip", "CTC", "UnicodeScripts", "Precompiled", "ByteFallback", "<0x41>", "▁", "Ġthe", "a".repeat(5000)],
  ...["(a+)+$", "(a|a)*b", "(a|aa)+$", "(?:a{1,1000}){1,1000}", "((a*)*)*", "(?=(?=(?=a*b)a*b)a*b)a*b", "(?<=a+)b"],
  ...["a*a*a*a*a*a*a*b", "(?>a*)a", "[[:alpha:]&&[^a]]", "[z-a]", "\\p{Nope}", "(?i:ß)+", "(".repeat(500), "\\1", "{"],
  regex("(a+)+$"),
  regex("a*a*a*a*a*a*a*b"),
  regex("((?:a?){1,9}b?){9,99}"),
  { type: "Sequence", pretokenizers: [regex("(a|b|ab)*c"), { type: "ByteLevel" }] },
  { type: "Sequence", normalizers: [{ type: "Sequence", normalizers: [] }] },
  { type: "Replace", pattern: { Regex: "(a|a)+x" }, content: "aaaa" },
  { type: "Replace", pattern: { String: "a" }, content: "a".repeat(1000) },
  { type: "Prepend", prepend: "a".repeat(10_000) },
  { type: "Precompiled", precompiled_charsmap: "/////////////////////////w==" },
  { type: "FixedLength", length: 0 },
  { id: 4294967295, content: "x", special: true },
  { id: 16777216, content: "the", special: false, single_word: true, lstrip: true, rstrip: true, normalized: true },
];

describe("hostile tokenizer files", () => {
  const limit = { timeout: survivalTimeoutMs };
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const json = (bytes: Uint8Array) => readTokenizerJson(decoder.decode(bytes));

  test("tokenizer.json, damaged as JSON", limit, async () => {
    const seeds: { tokenizer: unknown }[] = fixture.tokenizers;
    const damage = (random: MutationRandom) => {
      let value = random.pick(seeds).tokenizer;
      for (let times = 1 + random.below(3); times > 0; times--) value = mutateJson(value, random, extra);
      return encoder.encode(JSON.stringify(value) ?? "");
    };
    await attack("tokenizer.json (values)", Math.ceil(total * 0.7), damage, json);
  });

  test("tokenizer.json, damaged as bytes", limit, async () => {
    const seeds: Uint8Array[] = fixture.tokenizers.map((seed: { tokenizer: unknown }) =>
      encoder.encode(JSON.stringify(seed.tokenizer)),
    );
    const damage = (random: MutationRandom) => mutate(random.pick(seeds), random);
    await attack("tokenizer.json (bytes)", Math.ceil(total * 0.3), damage, json);
  });

  test("SentencePiece models", limit, async () => {
    const seeds = fixture.sentencepiece.map((seed: { model: string }) => Buffer.from(seed.model, "base64"));
    await attack("SentencePiece", perFormat, (random) => mutate(random.pick(seeds), random), readSentencePiece);
  });

  test("llama2.c tokenizers", limit, async () => {
    const seed = llama2cFile();
    await attack("llama2.c tokenizer", perFormat, (random) => mutate(seed, random), readLlama2c);
  });

  test("tiktoken ranks", limit, async () => {
    const tokens = [...Array.from({ length: 256 }, (_, byte) => [byte]), [97, 98], [32, 97], [97, 98, 99]];
    const lines = tokens.map((bytes, rank) => `${Buffer.from(bytes).toString("base64")} ${rank}`);
    const seed = encoder.encode(lines.join("\n"));
    let count = 0;
    const patterns = ["(a+)+$", "a*a*a*a*a*a*b", "\\s+|\\S+"];
    const read = (bytes: Uint8Array) =>
      readTiktoken(decoder.decode(bytes), { pattern: patterns[count++ % patterns.length] });
    await attack("tiktoken", perFormat, (random) => mutate(seed, random), read);
  });

  test("vocab.json with merges.txt", limit, async () => {
    const entries = [...byteAlphabet, "ab", "abc", "Ġa"];
    const vocab = JSON.stringify(Object.fromEntries(entries.map((token, id) => [token, id])));
    const seed = encoder.encode(`${vocab}\n\n#version: 0.2\na b\nab c\nĠ a\n`);
    const read = (bytes: Uint8Array) => {
      const [first, second = ""] = decoder.decode(bytes).split("\n\n");
      return readGpt2Files(first, second);
    };
    await attack("GPT-2 files", perFormat, (random) => mutate(seed, random), read);
  });

  test("vocab.txt and word lists", limit, async () => {
    const seed = encoder.encode("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##a\nthe\nkeeper\n");
    const damage = (random: MutationRandom) => mutate(seed, random);
    await attack("vocab.txt", perFormat, damage, (bytes) => readBertVocab(decoder.decode(bytes)));
    await attack("word list", perFormat, damage, (bytes) => readWordList(decoder.decode(bytes), { unit: "words" }));
  });
});

/** A small llama2.c tokenizer: control tokens, bytes and some pieces. */
function llama2cFile(): Uint8Array {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const tokens = [
    "<unk>",
    "\n<s>\n",
    "\n</s>\n",
    ...bytes,
    " ",
    "a",
    "b",
    "t",
    "h",
    "e",
    " a",
    "th",
    "he",
    " th",
    " the",
  ];
  const parts: Buffer[] = [Buffer.from([7, 0, 0, 0])];
  tokens.forEach((token, id) => {
    const head = Buffer.alloc(8);
    head.writeFloatLE(-id, 0);
    head.writeInt32LE(Buffer.byteLength(token), 4);
    parts.push(head, Buffer.from(token));
  });
  return Buffer.concat(parts);
}
