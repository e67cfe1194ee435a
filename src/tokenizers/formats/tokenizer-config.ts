/**
 * The files beside a vocabulary: `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json` and
 * `generation_config.json`.
 */
import type { AddedToken } from "../stages/added-tokens.js";
import { type JsonField, parseJson } from "./json-fields.js";
import { maxTokenId } from "./tokenizer-json/model.js";

/** Contents of the files that are there. */
export interface ConfigFiles {
  readonly tokenizerConfig?: string;
  readonly specialTokensMap?: string;
  readonly addedTokens?: string;
  readonly generationConfig?: string;
  readonly chatTemplate?: string;
}

/** What the files say; texts of special tokens rather than ids. */
export interface TokenizerConfig {
  readonly bosToken?: string;
  readonly eosToken?: string;
  readonly padToken?: string;
  readonly unknownToken?: string;
  readonly clsToken?: string;
  /** Every token with a role, and the additional special tokens. */
  readonly specialTokens: readonly string[];
  /** `added_tokens_decoder`, or `added_tokens.json`. Only formats without added tokens of their own use them. */
  readonly addedTokens: readonly AddedToken[];
  /** `eos_token_id` of `generation_config.json`: often more than one. */
  readonly endIds: readonly number[];
  readonly cleanUpSpaces: boolean;
  /** `add_bos_token`, `add_eos_token`. */
  readonly addBegin?: boolean;
  readonly addEnd?: boolean;
  readonly addPrefixSpace?: boolean;
  /** BERT's `do_lower_case`. */
  readonly lowercase?: boolean;
  readonly chatTemplate?: string;
}

/** @throws FormatError naming the file and the field that is malformed. */
export function readTokenizerConfig(files: ConfigFiles): TokenizerConfig {
  const config = optional(files.tokenizerConfig, "tokenizer_config.json");
  const map = optional(files.specialTokensMap, "special_tokens_map.json");
  const token = (name: string) => tokenText(config?.get(name)) ?? tokenText(map?.get(name));
  const flag = (name: string) => {
    const field = config?.get(name);
    return field === undefined || field.absent ? undefined : field.boolean();
  };
  const named = ["bos", "eos", "pad", "unk", "cls", "sep", "mask"].map((role) => token(`${role}_token`));
  const [bosToken, eosToken, padToken, unknownToken, clsToken] = named;
  const specialTokens = [...named, ...additional(config), ...additional(map)].filter((text) => text !== undefined);
  return {
    bosToken,
    eosToken,
    padToken,
    unknownToken,
    clsToken,
    specialTokens,
    addedTokens: addedTokens(config, optional(files.addedTokens, "added_tokens.json"), specialTokens),
    endIds: endIds(optional(files.generationConfig, "generation_config.json")),
    cleanUpSpaces: flag("clean_up_tokenization_spaces") ?? false,
    addBegin: flag("add_bos_token"),
    addEnd: flag("add_eos_token"),
    addPrefixSpace: flag("add_prefix_space"),
    lowercase: flag("do_lower_case"),
    chatTemplate: files.chatTemplate ?? chatTemplate(config?.get("chat_template")),
  };
}

function optional(text: string | undefined, format: string): JsonField | undefined {
  return text === undefined ? undefined : parseJson(text, format);
}

/** `"</s>"`, or `{ "content": "</s>", … }`. */
function tokenText(field: JsonField | undefined): string | undefined {
  if (field === undefined || field.absent) return undefined;
  return typeof field.value === "string" ? field.value : field.get("content").string();
}

function additional(file: JsonField | undefined): (string | undefined)[] {
  const field = file?.get("additional_special_tokens");
  return field === undefined || field.absent || !Array.isArray(field.value) ? [] : field.items().map(tokenText);
}

function addedTokens(
  config: JsonField | undefined,
  file: JsonField | undefined,
  specialTokens: readonly string[],
): AddedToken[] {
  const decoder = config?.get("added_tokens_decoder");
  if (decoder !== undefined && !decoder.absent) {
    return decoder.entries().map(([id, field]) => {
      if (!/^\d{1,8}$/.test(id)) throw field.error("its key is not a token id");
      return {
        id: Number(id),
        content: field.get("content").string(),
        special: field.get("special").boolean(false),
        singleWord: field.get("single_word").boolean(false),
        stripLeft: field.get("lstrip").boolean(false),
        stripRight: field.get("rstrip").boolean(false),
      };
    });
  }
  if (file === undefined) return [];
  return file
    .entries()
    .map(([content, id]) => ({ id: id.count(maxTokenId), content, special: specialTokens.includes(content) }));
}

function endIds(config: JsonField | undefined): number[] {
  const field = config?.get("eos_token_id");
  if (field === undefined || field.absent) return [];
  return Array.isArray(field.value) ? field.items().map((id) => id.count(maxTokenId)) : [field.count(maxTokenId)];
}

/** One template, or the one named `default` of a list. */
function chatTemplate(field: JsonField | undefined): string | undefined {
  if (field === undefined || field.absent) return undefined;
  if (!Array.isArray(field.value)) return field.string();
  const templates = field.items();
  const chosen = templates.find((template) => template.get("name").value === "default") ?? templates[0];
  return chosen?.get("template").string();
}
