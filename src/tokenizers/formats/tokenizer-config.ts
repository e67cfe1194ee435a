/** The files beside a vocabulary: `tokenizer_config.json`, `special_tokens_map.json`, `generation_config.json`. */

import { type JsonField, parseJson } from "./json-fields.js";
import { maxTokenId } from "./tokenizer-json/model.js";

/** Contents of the files that are there. */
export interface ConfigFiles {
  readonly tokenizerConfig?: string;
  readonly specialTokensMap?: string;
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
  /** `eos_token_id` of `generation_config.json`: often more than one. */
  readonly endIds: readonly number[];
  readonly cleanUpSpaces: boolean;
  /** BERT's `do_lower_case`. */
  readonly lowercase?: boolean;
  readonly chatTemplate?: string;
}

/** @throws FormatError naming the file and the field that is malformed. */
export function readTokenizerConfig(files: ConfigFiles): TokenizerConfig {
  const config = optional(files.tokenizerConfig, "tokenizer_config.json");
  const map = optional(files.specialTokensMap, "special_tokens_map.json");
  const token = (name: string) => tokenText(config?.get(name)) ?? tokenText(map?.get(name));
  return {
    bosToken: token("bos_token"),
    eosToken: token("eos_token"),
    padToken: token("pad_token"),
    unknownToken: token("unk_token"),
    clsToken: token("cls_token"),
    endIds: endIds(optional(files.generationConfig, "generation_config.json")),
    cleanUpSpaces: config?.get("clean_up_tokenization_spaces").boolean(false) ?? false,
    lowercase: config?.get("do_lower_case").absent === false ? config.get("do_lower_case").boolean() : undefined,
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
