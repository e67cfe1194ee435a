/** Groups of keys that say what a model learns from: files of text or pairs, and how text becomes tokens. */
import {
  choice,
  type Field,
  flag,
  fraction,
  listOf,
  number,
  optional,
  path,
  required,
  text,
  whole,
  withDefault,
} from "./kinds.js";

const paths = "paths are read from the configuration's folder; `$NAME/` at their beginning is an environment variable";

const files = required(listOf(path), `files or folders to learn from; .gz too; ${paths}`);
const heldOut = optional(listOf(path), "a share of `files`", "files that are measured on and never learnt from");
const heldOutFraction: Field<number, number, "optional"> = withDefault(
  fraction,
  0.1,
  "without `heldOut`: which share of `files` that is",
);

export const data = choice({
  text: {
    doc: "plain text",
    fields: {
      files,
      heldOut,
      heldOutFraction,
      documents: withDefault(
        text,
        "file",
        'where a text ends, which attention never crosses: "file", "line", "paragraph" (a blank line), or a line that holds only this text',
      ),
    },
  },
  jsonl: {
    doc: "JSON Lines: each line an object with a text",
    fields: { files, heldOut, heldOutFraction, field: withDefault(text, "text", "its key") },
  },
  parallel: {
    doc: "pairs from two files: line N of one belongs to line N of the other",
    fields: {
      source: required(listOf(path), `files that the encoder reads; .gz too; ${paths}`),
      target: required(listOf(path), "files that the decoder writes"),
      heldOutSource: optional(listOf(path), "a share of `source`", "files that are measured on"),
      heldOutTarget: optional(listOf(path), "a share of `target`", "files that are measured on"),
      heldOutFraction,
    },
  },
  table: {
    doc: "pairs from lines with a tab between source and target",
    fields: { files, heldOut, heldOutFraction, swap: withDefault(flag, false, "the target stands first") },
  },
  dictionary: {
    doc: "CMUdict: a word and its phonemes; `word(2)` is another pronunciation",
    fields: { files, heldOutFraction },
  },
  sort: {
    doc: "digits to sort, made from the seed (as in minGPT's demo)",
    fields: {
      length: withDefault(whole(2, 64), 6, "digits in an example"),
      digits: withDefault(whole(2, 10), 3, "different digits"),
      heldOutFraction: withDefault(
        number("above 0, below 1", (share) => share > 0 && share < 1),
        0.25,
        "share of all inputs that are never learnt from",
      ),
    },
  },
});

export const tokenizer = choice({
  file: {
    doc: "one that exists",
    fields: { path: required(path, "tokenizer.json, SentencePiece .model, or the folder of a checkpoint") },
  },
  characters: { doc: "one token for each character that occurs in the data", fields: {} },
  bytes: { doc: "one token for each of the 256 bytes", fields: {} },
  words: { doc: "one token for each word between spaces", fields: {} },
  bpe: {
    doc: "byte-level byte-pair encoding, trained on the data to learn from (source and target together)",
    fields: {
      vocabSize: required(whole(257), "tokens, special ones included"),
      minFrequency: withDefault(whole(1), 2, "how often a pair must occur to be merged"),
    },
  },
});
