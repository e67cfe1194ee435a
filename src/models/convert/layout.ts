/** From the way one format lays a family's tensors out to the way another does. */
import type { StoredTensor } from "../../core/checkpoint.js";
import type { DecoderOnlyConfig } from "../config.js";
import type { Dialect } from "../family.js";
import { permutedRows, shifted, transposed } from "../lazy-tensors.js";

/** @param tensor - under its Hugging Face name, laid out as `from` says */
export function relaid(tensor: StoredTensor, config: DecoderOnlyConfig, from: Dialect, to: Dialect): StoredTensor {
  const { name } = tensor;
  switch (config.family) {
    case "llama":
    case "mistral":
      if (from.interleavedRotary === to.interleavedRotary || !/\.self_attn\.[qk]_proj\.(weight|bias)$/.test(name))
        break;
      return permutedRows(tensor, rotaryRows(config.decoder.attention.headDim, to.interleavedRotary));
    case "gemma2":
    case "gemma3":
      if (from.normsLessOne === to.normsLessOne || !/norm\.weight$/.test(name)) break;
      return shifted(tensor, from.normsLessOne ? 1 : -1);
    case "gpt2":
      if (from.transposed === to.transposed || !/\.c_(attn|proj|fc)\.weight$/.test(name)) break;
      return transposed(tensor);
    case "gpt_neox":
      if (from.fusedByHead === to.fusedByHead || !/\.query_key_value\.(weight|bias)$/.test(name)) break;
      return permutedRows(tensor, fusedRows(config, to.fusedByHead));
  }
  return tensor;
}

/** Elements that turn together: `i` and `i + headDim / 2` of a head, or `2i` and `2i + 1`. */
function rotaryRows(headDim: number, interleaved: boolean): (row: number) => number {
  const half = headDim / 2;
  return (row) => {
    const i = row % headDim;
    const start = row - i;
    if (interleaved) return start + (i % 2) * half + (i - (i % 2)) / 2;
    return start + (i < half ? 2 * i : 2 * (i - half) + 1);
  };
}

/** Query, key and value of each head together, or all queries, all keys, all values. */
function fusedRows({ decoder }: DecoderOnlyConfig, byHead: boolean): (row: number) => number {
  const { headDim, headCount } = decoder.attention;
  const partRows = headCount * headDim;
  return (row) => {
    const i = row % headDim;
    const group = (row - i) / headDim;
    if (byHead) return (group % 3) * partRows + Math.floor(group / 3) * headDim + i;
    return ((group % headCount) * 3 + Math.floor(group / headCount)) * headDim + i;
  };
}
