/**
 * Weights of eight bits in a Hugging Face folder, as the package `compressed-tensors` writes them for transformers and
 * vLLM: format `int-quantized`, symmetric, one scale for each group of 32 columns. These are the numbers of Q8_0.
 *
 * Modules that are not quantized are named under `ignore`; all other linear maps and embeddings are.
 */
import type { StoredTensor } from "../core/checkpoint.js";
import { FormatError, ShapeError, UnsupportedError } from "../core/errors.js";
import { convertTensor, type JsonObject } from "../formats/index.js";
import { blocksOf, eightBitGroup, integersOf, scalesOf } from "../formats/quantization/eight-bit-parts.js";
import { fits } from "./lazy-tensors.js";

const method = "compressed-tensors";
const scaleSuffix = "_scale";

export interface Contents {
  readonly config: JsonObject;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * The same checkpoint with Q8_0 in place of integers and scales; any other checkpoint as it is.
 *
 * @param path - for messages
 * @throws UnsupportedError for other quantizations of this package; FormatError, ShapeError where tensors do not fit
 */
export function uncompress(contents: Contents, path: string): Contents {
  const { quantization_config: quantization, ...config } = contents.config;
  if (!isObject(quantization) || quantization.quant_method !== method) return contents;
  checkScheme(quantization, path);
  const tensors = new Map<string, StoredTensor>();
  for (const tensor of contents.tensors.values()) {
    if (tensor.name.endsWith(`.weight${scaleSuffix}`)) continue;
    const scale = contents.tensors.get(tensor.name + scaleSuffix);
    tensors.set(tensor.name, scale === undefined ? tensor : joined(tensor, scale, path));
  }
  return { config, tensors };
}

function joined(integers: StoredTensor, scales: StoredTensor, path: string): StoredTensor {
  const where = `tensor ${JSON.stringify(scales.name)}`;
  const [rows, columns] = integers.shape;
  if (integers.storage !== "i8" || integers.shape.length !== 2) {
    throw new FormatError("safetensors", where, "does not belong to a matrix of 8-bit integers", path);
  }
  if (scales.storage !== "f16") throw new UnsupportedError(`${path}: ${where} of type`, scales.storage, ["f16"]);
  if (scales.shape.length !== 2 || scales.shape[0] !== rows || scales.shape[1]! * eightBitGroup !== columns) {
    throw new ShapeError(`${path}: ${where}`, `[${rows}, ${columns! / eightBitGroup}]`, `[${scales.shape.join(", ")}]`);
  }
  return blocksOf(integers, scales);
}

/** Only what `compress` below writes, whoever wrote it. */
function checkScheme(quantization: JsonObject, path: string): void {
  const groups = isObject(quantization.config_groups) ? Object.values(quantization.config_groups) : [];
  const supported = ["8-bit symmetric integers in groups of 32"];
  const refuse = (what: string, actual: unknown): never => {
    throw new UnsupportedError(`${path}/config.json: quantization_config: ${what}`, shown(actual), supported);
  };
  if (quantization.format !== "int-quantized") refuse("format", quantization.format);
  for (const group of groups) {
    const weights = isObject(group) ? group.weights : undefined;
    const { num_bits, type, symmetric, group_size } = isObject(weights) ? weights : ({} as JsonObject);
    if (num_bits !== 8 || type !== "int" || symmetric !== true || group_size !== eightBitGroup) {
      refuse("weights", { num_bits, type, symmetric, group_size });
    }
    const activations = isObject(group) ? group.input_activations : undefined;
    if (isObject(activations)) refuse("input_activations", activations);
  }
}

/** A value of a configuration as a message shows it. */
function shown(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What is written, and what to say of it under `quantization_config`. */
export interface Compressed {
  readonly tensors: readonly StoredTensor[];
  readonly quantization: JsonObject;
}

/**
 * Matrices as integers and scales; vectors, and matrices of modules that are no linear maps or embeddings, as float16.
 *
 * @param tensors - under their Hugging Face names
 * @param isModule - whether a matrix is the weight of a linear map or an embedding in the published class
 */
export function compress(tensors: readonly StoredTensor[], isModule: (name: string) => boolean): Compressed {
  const ignore: string[] = [];
  const written = tensors.flatMap((tensor) => {
    const isMatrix = tensor.shape.length === 2 && tensor.name.endsWith(".weight");
    if (isMatrix && fits(tensor, "q8_0") && isModule(tensor.name)) {
      const blocks = convertTensor(tensor, "q8_0");
      return [integersOf(blocks), scalesOf(blocks, tensor.name + scaleSuffix)];
    }
    if (isMatrix) ignore.push(tensor.name.replace(/\.weight$/, ""));
    return [convertTensor(tensor, "f16")];
  });
  return { tensors: written, quantization: quantizationConfig(ignore) };
}

function quantizationConfig(ignore: readonly string[]): JsonObject {
  const weights = {
    num_bits: 8,
    type: "int",
    symmetric: true,
    strategy: "group",
    group_size: eightBitGroup,
    dynamic: false,
  };
  return {
    quant_method: method,
    format: "int-quantized",
    quantization_status: "compressed",
    config_groups: {
      group_0: { targets: ["Linear", "Embedding"], weights, input_activations: null, output_activations: null },
    },
    ignore,
  };
}
