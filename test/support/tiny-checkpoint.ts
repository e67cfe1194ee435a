/** A checkpoint small enough for any test: random weights from the parity fixtures, and a tokenizer of single characters. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

export const parityFixtures = join(dirname(fileURLToPath(import.meta.url)), "..", "parity", "fixtures");

const letters = "abcdefghijklmnopqrstuvwxyz";
/** The 67 entries that the fixtures' models predict: special tokens, then one character each (Ġ is a space, Ċ a line break). */
export const tinyVocabulary = ["<pad>", "<s>", "</s>", ..."ĠĊ.,!?'", ...letters, ...letters.toUpperCase(), ..."01234"];

/** @param begins - whether texts begin with `<s>` */
export function tinyTokenizerJson(begins: boolean): string {
  const special = [0, 1, 2].map((id) => ({
    id,
    content: tinyVocabulary[id],
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const template = {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    pair: [{ Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
    special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
  };
  return JSON.stringify({
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special,
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: begins ? template : null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(tinyVocabulary.map((token, id) => [token, id])),
      merges: [],
    },
  });
}

/**
 * The folder of a Llama-like model with 67 entries and 96 positions; removed when the test file has ended.
 * @param fixture - another of the parity fixtures
 */
export function tinyModel(options: { readonly begins?: boolean; readonly fixture?: string } = {}): string {
  const folder = temporaryFolder();
  cpSync(join(parityFixtures, options.fixture ?? "llama-mha-tied"), folder, { recursive: true });
  writeFileSync(join(folder, "tokenizer.json"), tinyTokenizerJson(options.begins ?? false));
  const roles = { bos_token: "<s>", eos_token: "</s>", pad_token: "<pad>", tokenizer_class: "PreTrainedTokenizerFast" };
  writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify(roles));
  return folder;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "hitherto-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
