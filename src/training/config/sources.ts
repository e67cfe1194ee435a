/** Groups of keys that say what a model learns from: files of text or pairs, and how text becomes tokens. */
import {
  choice,
  exactlyOne,
  flag,
  group,
  type Kind,
  listOf,
  number,
  objectOr,
  oneOf,
  optional,
  path,
  required,
  text,
  whole,
  withDefault,
} from "./kinds.js";

const paths = "paths start at the configuration's folder; `$NAME/` at their beginning is an environment variable";
const files = required(listOf(path), `files or folders to learn from; .gz too; ${paths}`);

const share = number("above 0, below 1", (value) => value > 0 && value < 1);
const heldOutShares = {
  fraction: optional(share, "", "this share of all texts (pairs: of all sources), chosen by their hash"),
  count: optional(whole(1), "", "so many texts (pairs), chosen by their hash"),
};
const nothing = "nothing: no held-out loss is measured";
const setAside = "what is measured on and never learnt from";

const heldOutText = optional(
  exactlyOne({
    ...heldOutShares,
    last: optional(share, "", "this share of each document's characters, from its end"),
    files: optional(listOf(path), "", "files of its own"),
  }),
  nothing,
  setAside,
);
const heldOutPairs = optional(
  exactlyOne({ ...heldOutShares, files: optional(listOf(path), "", "files of its own") }),
  nothing,
  setAside,
);
const parallelFiles = group({
  source: required(listOf(path), "files that the encoder reads"),
  target: required(listOf(path), "files that the decoder writes"),
});
const heldOutParallel = optional(
  exactlyOne({ ...heldOutShares, files: optional(parallelFiles, "", "files of its own") }),
  nothing,
  setAside,
);

const languages = ["en", "de", "fr"] as const;
const normalization = group({
  lowercase: withDefault(flag, false, "whether letters become small"),
  punctuation: optional(
    oneOf(languages),
    "left as they are",
    "one kind of quotes, dashes and spaces, as in this language",
  ),
  moses: optional(oneOf(languages), "none are added", "spaces around words and signs, as Moses writes this language"),
});
const normalize = optional(normalization, "left as it is", "what is done to the text before it is tokenized");
const normalizeSides = optional(
  group({
    source: optional(normalization, "left as it is", "what is done to sources"),
    target: optional(normalization, "left as it is", "what is done to targets"),
  }),
  "left as they are",
  "what is done to both sides before they are tokenized",
);

const maxLength = optional(
  whole(1),
  "the context length",
  "tokens of the longest text, or of either side, that is used",
);
const packing = withDefault(
  oneOf(["documents", "windows"]),
  "documents",
  '"documents": each by itself, attention never crosses them; "windows": one long text, cut at random places',
);
const bucket = withDefault(whole(1), 1024, "pairs that are sorted by length before they are put into batches; 1: none");

const documents: Kind<"file" | "line" | "paragraph" | { readonly separator: string }> = objectOr(
  oneOf(["file", "line", "paragraph"]),
  group({ separator: required(text, "a line that holds only this ends a text") }),
);

export const data = choice({
  text: {
    doc: "plain text",
    fields: {
      files,
      documents: withDefault(documents, "file", "where a text ends; a paragraph ends at a blank line"),
      heldOut: heldOutText,
      packing,
      maxLength,
      normalize,
    },
  },
  jsonl: {
    doc: "JSON Lines: each line an object with a text",
    fields: {
      files,
      field: withDefault(text, "text", "its key"),
      promptField: optional(text, "none", "key of a text that comes before it and is not learnt"),
      heldOut: heldOutText,
      packing,
      maxLength,
      normalize,
    },
  },
  parallel: {
    doc: "pairs from two files: line N of one belongs to line N of the other",
    fields: {
      source: required(listOf(path), `files that the encoder reads; .gz too; ${paths}`),
      target: required(listOf(path), "files that the decoder writes"),
      heldOut: heldOutParallel,
      maxLength,
      bucket,
      normalize: normalizeSides,
    },
  },
  tsv: {
    doc: "pairs from lines with tabs between columns",
    fields: {
      files,
      sourceColumn: withDefault(whole(0), 0, "column that the encoder reads, counted from 0"),
      targetColumn: withDefault(whole(0), 1, "column that the decoder writes"),
      heldOut: heldOutPairs,
      maxLength,
      bucket,
      normalize: normalizeSides,
    },
  },
  "jsonl-pairs": {
    doc: "pairs from JSON Lines",
    fields: {
      files,
      sourceField: required(text, "key of what the encoder reads"),
      targetField: required(text, "key of what the decoder writes"),
      heldOut: heldOutPairs,
      maxLength,
      bucket,
      normalize: normalizeSides,
    },
  },
  cmudict: {
    doc: "a pronouncing dictionary as CMU writes it: word to phonemes",
    fields: { files, heldOut: heldOutPairs, maxLength, bucket, normalize: normalizeSides },
  },
  sort: {
    doc: "digits, and the same digits sorted: all inputs there are (as in minGPT's demo)",
    fields: {
      length: withDefault(whole(2, 8), 6, "digits in an example"),
      digits: withDefault(whole(2, 10), 3, "different digits"),
      heldOut: withDefault(group({ fraction: required(share, "of all inputs") }), { fraction: 0.25 }, setAside),
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
  words: {
    doc: "one token for each word that occurs in the data; texts are decoded with spaces between them",
    fields: {
      pattern: withDefault(text, "\\S+", "regular expression of a word; what it does not match is left out"),
      vocabSize: optional(whole(4), "all that occur", "words at most, the most frequent ones"),
    },
  },
  bpe: {
    doc: "byte-level byte-pair encoding, trained on the data's files (source and target together)",
    fields: {
      vocabSize: required(whole(260), "tokens, special ones included"),
      minFrequency: withDefault(whole(1), 2, "how often a pair must occur to be merged"),
    },
  },
});
