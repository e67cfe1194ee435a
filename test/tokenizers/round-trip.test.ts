/**
 * Random Unicode text through every byte-level tokenizer and back, and streaming against decoding at once.
 *
 * `HITHERTO_FUZZ` is the number of strings per tokenizer; 100,000 is the number of the full run.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openFileSource } from "../../src/formats/file-source.node.js";
import { readGguf } from "../../src/formats/gguf/read.js";
import {
  readBertVocab,
  readGgufTokenizer,
  readGpt2Files,
  readLlama2c,
  readSentencePiece,
  readTiktoken,
  readTokenizerJson,
  type Tokenizer,
} from "../../src/tokenizers/index.js";
import { byteAlphabet, utf8 } from "../../src/tokenizers/text/bytes.js";
import { describeWithData } from "../data.js";
import { MutationRandom } from "../hostile/mutate.js";

const count = Number(process.env.HITHERTO_FUZZ ?? 500);
const limit = { timeout: 3_600_000 };

/** Well-formed text from every part of Unicode, up to 40 characters, ASCII and white space more often than not. */
function randomText(random: MutationRandom): string {
  let text = "";
  for (let length = random.below(41); length > 0; length--) text += String.fromCodePoint(randomCodePoint(random));
  return text;
}

function randomCodePoint(random: MutationRandom): number {
  const kind = random.below(8);
  if (kind < 3) return random.below(0x80);
  if (kind === 3) return random.pick([0x20, 0x20, 0x0a, 0x0d, 0x09, 0xa0, 0x85, 0x3000, 0x200d, 0xfeff, 0x27]);
  if (kind === 4) return random.below(0x800);
  if (kind === 5) return 0x1f300 + random.below(0x400);
  const codePoint = random.below(0x110000 - 0x800);
  return codePoint < 0xd800 ? codePoint : codePoint + 0x800;
}

/**
 * @param bytesMissing - the vocabulary has no token for some bytes; text that has them is left out. Falcon's lacks
 *   some control characters and 0xF2 and 0xF5 …, Refact's 0xF1.
 */
function roundTrips(tokenizer: Tokenizer, bytesMissing: boolean): void {
  const random = new MutationRandom(7);
  const missing = byteAlphabet.map((character) => bytesMissing && tokenizer.tokenId(character) === undefined);
  for (let i = 0; i < count; i++) {
    const text = [...randomText(random)].filter((character) => !utf8(character).some((byte) => missing[byte])).join("");
    const ids = tokenizer.encode(text, { addSpecialTokens: false, parseSpecialTokens: false });
    const back = tokenizer.decode(ids, { skipSpecialTokens: false });
    if (back !== text) expect(back).toBe(text);
  }
}

/** Random ids: whatever a model may sample. */
function streamsAsItDecodes(tokenizer: Tokenizer): void {
  const random = new MutationRandom(11);
  for (let i = 0; i < count; i++) {
    const ids = Array.from({ length: random.below(16) }, () =>
      random.below(random.below(2) === 0 ? Math.min(300, tokenizer.vocabSize) : tokenizer.vocabSize + 2),
    );
    for (const skipSpecialTokens of [true, false]) {
      const stream = tokenizer.stream({ skipSpecialTokens });
      const parts = ids.map((id) => stream.push(id));
      for (const part of parts) if (/[\ud800-\udbff]$/.test(part)) expect.unreachable(`half a character in ${ids}`);
      expect(parts.join("") + stream.flush()).toBe(tokenizer.decode(ids, { skipSpecialTokens }));
    }
  }
}

function suite(name: string, make: () => Tokenizer | Promise<Tokenizer>, lossless: boolean | "bytes-missing"): void {
  describe(name, () => {
    if (lossless !== false) {
      test("gives every text back", limit, async () => roundTrips(await make(), lossless === "bytes-missing"));
    }
    test("streams what it decodes", limit, async () => streamsAsItDecodes(await make()));
  });
}

const fixture = JSON.parse(readFileSync(new URL("../fixtures/tokenizers/tokenizers.json", import.meta.url), "utf8"));
/** These normalize, or add a space that the text may already have. */
const lossy = ["bpe-byte-level-roberta", "bpe-byte-level-qwen2", "bpe-byte-normalizer"];
for (const { name, tokenizer } of fixture.tokenizers) {
  const lossless = name.startsWith("bpe-byte-level") && !lossy.includes(name);
  suite(name, () => readTokenizerJson(tokenizer), lossless);
}
for (const { name, model } of fixture.sentencepiece) {
  suite(name, () => readSentencePiece(Buffer.from(model, "base64")), false);
}

describeWithData("tokenizers", "published vocabularies", (folder) => {
  const bytes = (path: string) => readFileSync(join(folder, path));
  const text = (path: string) => readFileSync(join(folder, path), "utf8");
  const gguf = (name: string) => async () => {
    const source = await openFileSource(join(folder, `gguf-vocab/ggml-vocab-${name}.gguf`));
    const { metadata } = await readGguf(source);
    await source.close();
    return readGgufTokenizer(metadata.entries);
  };
  suite("GPT-2", () => readGpt2Files(text("gpt2/vocab.json"), text("gpt2/merges.txt")), true);
  suite("GPT-2, tiktoken", () => readTiktoken(text("whisper/gpt2.tiktoken")), true);
  suite("Whisper, tiktoken", () => readTiktoken(text("whisper/multilingual.tiktoken")), true);
  suite("GPT-2, GGUF", gguf("gpt-2"), true);
  suite("Falcon, GGUF", gguf("falcon"), "bytes-missing");
  suite("Refact, GGUF", gguf("refact"), "bytes-missing");
  suite("Llama, GGUF", gguf("llama-spm"), true);
  suite("GPT-NeoX, which normalizes", () => readTokenizerJson(text("gpt-neox/tokenizer.json")), false);
  suite("Llama 2", () => readSentencePiece(bytes("llama2/tokenizer.model")), false);
  suite("Llama 2, llama2.c", () => readLlama2c(bytes("llama2/tokenizer.bin")), true);
  suite("Mistral", () => readSentencePiece(bytes("mistral/tokenizer.model.v3")), false);
  suite("BERT", () => readBertVocab(text("bert/vocab.txt")), false);
  suite("BERT, cleaned up", () => readBertVocab(text("bert/vocab.txt")).cleaningUpSpaces(), false);
});
