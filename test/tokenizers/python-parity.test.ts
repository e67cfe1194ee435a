/**
 * Tokenizers of every kind against the ids and texts of the original libraries.
 *
 * `fixtures/tokenizers/make.py` makes the file; `HITHERTO_TOKENIZER_FIXTURES` names a larger one made the same way.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readSentencePiece, readTokenizerJson, type Tokenizer } from "../../src/tokenizers/index.js";

const path =
  process.env.HITHERTO_TOKENIZER_FIXTURES ?? new URL("../fixtures/tokenizers/tokenizers.json", import.meta.url);

interface Fixture {
  readonly tokenizers: readonly {
    readonly name: string;
    readonly tokenizer: object;
    readonly encode: readonly (readonly [text: string, ids: number[], withoutSpecial: number[]])[];
    readonly decode: readonly (readonly [ids: number[], text: string, withSpecial: string])[];
  }[];
  readonly sentencepiece: readonly {
    readonly name: string;
    readonly model: string;
    readonly encode: readonly (readonly [text: string, ids: number[]])[];
    readonly decode: readonly (readonly [ids: number[], text: string])[];
  }[];
}

const fixture: Fixture = JSON.parse(readFileSync(path, "utf8"));

/** What a stream gives, piece by piece, joined. */
function streamed(tokenizer: Tokenizer, ids: readonly number[], skipSpecialTokens: boolean): string {
  const stream = tokenizer.stream({ skipSpecialTokens });
  return ids.map((id) => stream.push(id)).join("") + stream.flush();
}

describe("tokenizer.json, against Hugging Face tokenizers", () => {
  for (const { name, tokenizer: json, encode, decode } of fixture.tokenizers) {
    const tokenizer = readTokenizerJson(json);

    test(`${name} encodes`, () => {
      for (const [text, ids, withoutSpecial] of encode) {
        expect([...tokenizer.encode(text)], JSON.stringify(text)).toEqual(ids);
        expect([...tokenizer.encode(text, { addSpecialTokens: false })]).toEqual(withoutSpecial);
      }
    });

    test(`${name} decodes, at once and streaming`, () => {
      for (const [ids, text, withSpecial] of decode) {
        expect(tokenizer.decode(ids), ids.join()).toBe(text);
        expect(tokenizer.decode(ids, { skipSpecialTokens: false }), ids.join()).toBe(withSpecial);
        expect(streamed(tokenizer, ids, true)).toBe(text);
        expect(streamed(tokenizer, ids, false)).toBe(withSpecial);
      }
    });
  }
});

describe(".model files, against SentencePiece", () => {
  for (const { name, model, encode, decode } of fixture.sentencepiece) {
    const tokenizer = readSentencePiece(Buffer.from(model, "base64"));

    test(`${name} encodes`, () => {
      for (const [text, ids] of encode) {
        const actual = tokenizer.encode(text, { addSpecialTokens: false, parseSpecialTokens: false });
        expect([...actual], JSON.stringify(text)).toEqual(ids);
      }
    });

    test(`${name} decodes, at once and streaming`, () => {
      for (const [ids, text] of decode) {
        expect(tokenizer.decode(ids), ids.join()).toBe(text);
        expect(streamed(tokenizer, ids, true)).toBe(text);
      }
    });
  }
});
