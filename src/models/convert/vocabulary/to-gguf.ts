/** Writes a vocabulary as the metadata of a GGUF file. */
import type { GgufValue } from "../../../formats/index.js";
import { flag, text, u32 } from "../../gguf/write-config.js";
import { unusedToken, type Vocabulary } from "./vocabulary.js";

const prefix = "tokenizer.ggml.";

/**
 * @param vocabSize - rows of the model's embedding table: llama.cpp wants as many tokens. A vocabulary that is shorter
 *   is filled up; the end of a longer one, which the model can neither read nor write, is cut off.
 */
export function toGgufMetadata(vocabulary: Vocabulary, vocabSize: number): Map<string, GgufValue> {
  const tokens = Array.from({ length: vocabSize }, (_, id) => vocabulary.tokens[id] ?? unusedToken(id));
  const metadata = new Map<string, GgufValue>();
  const put = (key: string, value: GgufValue) => metadata.set(prefix + key, value);
  const byteLevel = vocabulary.kind === "byte-level";
  put("model", text(byteLevel ? "gpt2" : "llama"));
  put("pre", text(vocabulary.preTokenizer ?? "default"));
  put("tokens", { type: "array", of: "string", value: tokens.map((token) => token.text) });
  if (!byteLevel) put("scores", { type: "array", of: "f32", value: Float32Array.from(tokens, ({ score }) => score) });
  put("token_type", { type: "array", of: "i32", value: Int32Array.from(tokens, ({ type }) => type) });
  if (byteLevel) {
    const merges = vocabulary.merges.map(([left, right]) => `${left} ${right}`);
    put("merges", { type: "array", of: "string", value: merges });
  }
  for (const [role, id] of specialIds(vocabulary)) if (id < vocabSize) put(`${role}_token_id`, u32(id));
  put("add_bos_token", flag(vocabulary.addBegin));
  put("add_eos_token", flag(vocabulary.addEnd));
  if (!byteLevel) put("add_space_prefix", flag(vocabulary.spacePrefix));
  if (vocabulary.chatTemplate !== undefined) metadata.set("tokenizer.chat_template", text(vocabulary.chatTemplate));
  return metadata;
}

/** Ids by their role in GGUF's keys. A second and a third id that end a text are those of a turn and of a message. */
export function specialIds({
  beginId,
  endIds,
  padId,
  unknownId,
}: Pick<Vocabulary, "beginId" | "endIds" | "padId" | "unknownId">): [string, number][] {
  const ids: [string, number | undefined][] = [
    ["bos", beginId],
    ["eos", endIds[0]],
    ["eot", endIds[1]],
    ["eom", endIds[2]],
    ["padding", padId],
    ["unknown", unknownId],
  ];
  return ids.filter((each): each is [string, number] => each[1] !== undefined);
}
