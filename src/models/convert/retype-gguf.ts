/** A GGUF file once more, in other storage types: everything else stays as it is. */
import type { GgufContents, GgufFile } from "../../formats/index.js";
import { type ConversionOptions, supervised } from "./conversion.js";
import { fileType, stored, tellFallbacks } from "./to-gguf.js";

/** Keys that a file in several parts has about its parts. */
const splitKeys = /^split\./;

export function retypeGguf(file: GgufFile, options: ConversionOptions = {}): GgufContents {
  const tied = !file.tensors.has("output.weight");
  const tensors = [...file.tensors.values()].map((tensor) => stored(tensor, tensor.storage, tied, options));
  tellFallbacks(tensors, options);
  const kept = [...file.metadata.entries].filter(([key]) => !splitKeys.test(key));
  const metadata = new Map([...kept, ...(options.type === undefined ? [] : fileType(tensors))]);
  return { metadata, tensors: supervised(tensors, options) };
}
