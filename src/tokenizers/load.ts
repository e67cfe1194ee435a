/**
 * The tokenizer of a checkpoint, chosen by which files it has.
 *
 * Pure: whoever calls hands in the contents of the files named in `tokenizerFileNames`, as bytes or text.
 */
import { FileNotFoundError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import { readLlama2c } from "./formats/llama2c.js";
import { readTokenizerConfig, type TokenizerConfig } from "./formats/tokenizer-config.js";
import { readTokenizerJson } from "./formats/tokenizer-json/index.js";
import type { PipelineTokenizer, TokenRoles } from "./pipeline.js";
import type { Tokenizer } from "./tokenizer.js";

/** Files by the name they have in a checkpoint's folder. */
export type TokenizerFiles = Readonly<Record<string, Uint8Array | string>>;

/** A tokenizer and what else its files say about using it. */
export interface LoadedTokenizer {
  readonly tokenizer: Tokenizer;
  /** The file that the vocabulary came from. */
  readonly source: string;
  /** Jinja source, for `ChatTemplate`. */
  readonly chatTemplate?: string;
  /** Texts for a chat template's `bos_token` and `eos_token`. */
  readonly bosToken?: string;
  readonly eosToken?: string;
}

type Reader = (files: FileSet, config: TokenizerConfig) => PipelineTokenizer;

/** By order of preference. The first file's presence decides. */
const readers: readonly (readonly [file: string, read: Reader])[] = [
  [
    "tokenizer.json",
    (files, config) => readTokenizerJson(files.text("tokenizer.json"), { cleanUpSpaces: config.cleanUpSpaces }),
  ],
  ["tokenizer.bin", (files) => readLlama2c(files.bytes("tokenizer.bin"))],
];

const configurationFiles = [
  "tokenizer_config.json",
  "special_tokens_map.json",
  "generation_config.json",
  "chat_template.jinja",
] as const;

/** Every file name that `loadTokenizer` looks at. */
export const tokenizerFileNames: readonly string[] = [...readers.map(([file]) => file), ...configurationFiles];

/**
 * Chooses the format by the files that are there, and reads it.
 *
 * @throws FileNotFoundError when no file holds a vocabulary, FormatError or UnsupportedError naming what is wrong
 *   in the one that was chosen.
 */
export function loadTokenizer(options: { readonly files: TokenizerFiles }): LoadedTokenizer {
  rejectUnknownOptions(options, ["files"]);
  const files = new FileSet(options.files);
  const config = readTokenizerConfig({
    tokenizerConfig: files.optionalText("tokenizer_config.json"),
    specialTokensMap: files.optionalText("special_tokens_map.json"),
    generationConfig: files.optionalText("generation_config.json"),
    chatTemplate: files.optionalText("chat_template.jinja"),
  });
  const chosen = readers.find(([file]) => files.has(file));
  if (chosen === undefined) {
    throw new FileNotFoundError("tokenizer", `one of ${readers.map(([file]) => file).join(", ")}`);
  }
  const [source, read] = chosen;
  const tokenizer = read(files, config);
  return {
    tokenizer: tokenizer.withRoles(rolesOf(tokenizer, config)),
    source,
    chatTemplate: config.chatTemplate,
    bosToken: config.bosToken,
    eosToken: config.eosToken,
  };
}

/** Roles that the configuration gives; those it leaves out stay as the vocabulary has them. */
function rolesOf(tokenizer: Tokenizer, config: TokenizerConfig): TokenRoles {
  const id = (token: string | undefined) => (token === undefined ? undefined : tokenizer.tokenId(token));
  const endIds = new Set(config.endIds);
  const endId = id(config.eosToken);
  if (endId !== undefined) endIds.add(endId);
  return {
    beginId: id(config.bosToken) ?? id(config.clsToken) ?? tokenizer.beginId,
    endIds: endIds.size > 0 ? [...endIds] : tokenizer.endIds,
    padId: id(config.padToken) ?? tokenizer.padId,
    unknownId: id(config.unknownToken) ?? tokenizer.unknownId,
  };
}

/** The files at hand, as text or as bytes. */
class FileSet {
  constructor(private readonly files: TokenizerFiles) {}

  has(name: string): boolean {
    return Object.hasOwn(this.files, name);
  }

  text(name: string): string {
    const content = this.files[name];
    return typeof content === "string" ? content : new TextDecoder().decode(content);
  }

  optionalText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined;
  }

  bytes(name: string): Uint8Array {
    const content = this.files[name];
    return typeof content === "string" ? new TextEncoder().encode(content) : content;
  }
}
