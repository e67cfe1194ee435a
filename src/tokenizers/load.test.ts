import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FileNotFoundError, FormatError, UnknownOptionError } from "../core/errors.js";
import { loadTokenizer } from "./load.js";
import { byteAlphabet } from "./text/bytes.js";

const fixture = JSON.parse(
  readFileSync(new URL("../../test/fixtures/tokenizers/tokenizers.json", import.meta.url), "utf8"),
);
const tokenizerJson = (name: string): string =>
  JSON.stringify(fixture.tokenizers.find((entry: { name: string }) => entry.name === name).tokenizer);
const model = (name: string): Uint8Array =>
  Buffer.from(fixture.sentencepiece.find((entry: { name: string }) => entry.name === name).model, "base64");

describe("loadTokenizer", () => {
  test("prefers tokenizer.json and takes roles and chat template from the files beside it", () => {
    const loaded = loadTokenizer({
      files: {
        "tokenizer.json": tokenizerJson("bpe-llama"),
        "vocab.txt": "[UNK]",
        "tokenizer_config.json": JSON.stringify({
          bos_token: { content: "<s>", special: true },
          pad_token: "<|end|>",
          chat_template: [
            { name: "tool_use", template: "tools" },
            { name: "default", template: "{{ messages[0].content }}" },
          ],
        }),
        "special_tokens_map.json": JSON.stringify({ eos_token: "</s>", unk_token: "<unk>" }),
        "generation_config.json": JSON.stringify({ eos_token_id: [2, 460] }),
      },
    });
    expect(loaded).toMatchObject({
      source: "tokenizer.json",
      bosToken: "<s>",
      eosToken: "</s>",
      chatTemplate: "{{ messages[0].content }}",
    });
    expect(loaded.tokenizer).toMatchObject({ beginId: 1, endIds: [2, 460], padId: 460, unknownId: 0 });
  });

  test("cleans up spaces when the configuration says so", () => {
    const files = { "tokenizer.json": tokenizerJson("words-whitespace") };
    const config = { "tokenizer_config.json": JSON.stringify({ clean_up_tokenization_spaces: true }) };
    const plain = loadTokenizer({ files }).tokenizer;
    const ids = plain.encode("The keeper .");
    expect(plain.decode(ids)).toBe("the keeper .");
    expect(loadTokenizer({ files: { ...files, ...config } }).tokenizer.decode(ids)).toBe("the keeper.");
  });

  test("reads a SentencePiece model, with begin and end as configured", () => {
    const files = { "tokenizer.model": model("sp-bpe") };
    expect(loadTokenizer({ files }).tokenizer.encode("lamp")[0]).toBe(1);
    const config = JSON.stringify({ add_bos_token: false, add_eos_token: true });
    const { tokenizer } = loadTokenizer({ files: { ...files, "tokenizer_config.json": config } });
    expect(tokenizer.encode("lamp").at(-1)).toBe(2);
    expect(tokenizer.encode("lamp")[0]).not.toBe(1);
  });

  test("reads Marian's source and target vocabularies", () => {
    const vocab = { "</s>": 0, "<unk>": 1, "<pad>": 2, ">>fr<<": 3, "▁the": 4, s: 5, "▁": 6 };
    const spm = model("sp-unigram");
    const { tokenizer, target } = loadTokenizer({
      files: { "vocab.json": JSON.stringify(vocab), "source.spm": spm, "target.spm": spm },
    });
    expect([...tokenizer.encode(">>fr<<the the")]).toEqual([3, 4, 4, 0]);
    expect(target?.decode([4, 4, 5, 0])).toBe("the thes");
    expect(tokenizer).toMatchObject({ padId: 2, endIds: [0], unknownId: 1, vocabSize: 7 });
  });

  test("reads vocab.json with merges.txt, and the tokens added to them", () => {
    const vocab = Object.fromEntries([...byteAlphabet, "ab", "<|endoftext|>"].map((token, id) => [token, id]));
    const { tokenizer } = loadTokenizer({
      files: {
        "vocab.json": JSON.stringify(vocab),
        "merges.txt": "#version: 0.2\na b\n",
        "added_tokens.json": JSON.stringify({ "<|im_end|>": 258 }),
        "tokenizer_config.json": JSON.stringify({ eos_token: "<|im_end|>" }),
      },
    });
    expect([...tokenizer.encode("ab<|im_end|><|endoftext|>")]).toEqual([256, 258, 257]);
    expect(tokenizer).toMatchObject({ vocabSize: 259, endIds: [258] });
    expect(tokenizer.decode([256, 258])).toBe("ab");
  });

  test("reads vocab.txt, cased when the configuration says so", () => {
    const files = { "vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\nThe\nthe\nlamp\n##s\n" };
    expect([...loadTokenizer({ files }).tokenizer.encode("The lamps")]).toEqual([2, 5, 6, 7, 3]);
    const config = JSON.stringify({ do_lower_case: false });
    const { tokenizer } = loadTokenizer({ files: { ...files, "tokenizer_config.json": config } });
    expect([...tokenizer.encode("The lamps")]).toEqual([2, 4, 6, 7, 3]);
  });

  test("reads the two lists of a CTranslate2 model", () => {
    const files = {
      "source_vocabulary.txt": "<blank>\n<s>\n</s>\nا\n",
      "target_vocabulary.txt": "<blank>\n<s>\n</s>\na\n",
    };
    const { tokenizer, target } = loadTokenizer({ files });
    expect([...tokenizer.encode("اب")]).toEqual([3, 4]);
    expect(tokenizer.unknownId).toBe(4);
    expect(target?.decode([1, 3, 3, 2])).toBe("aa");
  });

  test("says which files it looked for", () => {
    expect(() => loadTokenizer({ files: {} })).toThrow(FileNotFoundError);
    expect(() => loadTokenizer({ files: { "vocab.json": "{}" } })).toThrow(/vocab.json with merges.txt/);
  });

  test("names the field that is wrong, and refuses options it does not know", () => {
    const files = { "tokenizer.json": "{}", "tokenizer_config.json": '{"bos_token": 3}' };
    expect(() => loadTokenizer({ files })).toThrow(FormatError);
    expect(() => loadTokenizer({ files })).toThrow(/tokenizer_config.json: bos_token/);
    expect(() => loadTokenizer({ files, kind: "bpe" } as never)).toThrow(UnknownOptionError);
  });
});
