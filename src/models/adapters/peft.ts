/** Adapters as Hugging Face PEFT keeps them: `adapter_config.json` and `adapter_model.safetensors`. */
import type { StoredTensor } from "../../core/checkpoint.js";
import { FormatError, UnsupportedError } from "../../core/errors.js";
import {
  type ByteSink,
  convertTensor,
  type Folder,
  readSafetensors,
  readWholeText,
  writeSafetensors,
} from "../../formats/index.js";
import { ConfigReader } from "../config-reader.js";
import { peftPrefix } from "./modules.js";

const configFile = "adapter_config.json";
const weightsFile = "adapter_model.safetensors";

export interface AdapterConfig {
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  /** Factor on the pairs' products: alpha / rank, or alpha / √rank where the file says `use_rslora`. */
  readonly scale: number;
  /** Ends of the paths of modules that have a pair. */
  readonly targets: readonly string[];
  /** The model that the adapter was made beside, where the file says it. */
  readonly base?: string;
}

/** An adapter that was opened; its tensors are read until it is closed. */
export interface AdapterFile extends AsyncDisposable {
  readonly path: string;
  readonly config: AdapterConfig;
  /** Paths of the modules that have a pair. */
  readonly modules: readonly string[];
  /** In float32. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Keys that change what the pairs mean, with the values that mean nothing. */
const plain: Readonly<Record<string, readonly unknown[]>> = {
  bias: ["none"],
  use_dora: [false],
  modules_to_save: [null],
  rank_pattern: [null],
  alpha_pattern: [null],
  layer_replication: [null],
  trainable_token_indices: [null],
  target_parameters: [null],
  fan_in_fan_out: [true, false],
};

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/** @throws FileNotFoundError, FormatError; UnsupportedError for other kinds of adapters */
export async function openAdapter(folder: Folder): Promise<AdapterFile> {
  const place = `${folder.name}/${configFile}`;
  const reader = new ConfigReader(parsed(await readWholeText(folder, configFile, 2 ** 20), place), place);
  const kind = reader.text("peft_type");
  if (kind !== "LORA") throw new UnsupportedError(`${place}: peft_type`, kind, ["LORA"]);
  for (const [key, meaningless] of Object.entries(plain)) {
    const value = reader.values[key] ?? null;
    if (value === null || meaningless.includes(value) || isEmpty(value)) continue;
    throw new UnsupportedError(`${place}: ${key}`, JSON.stringify(value), ["none"]);
  }
  const file = await readSafetensors(await folder.open(weightsFile));
  const config = configFrom(reader);
  const modules = [...file.tensors.keys()].flatMap(
    (name) => /^base_model\.model\.(.*)\.lora_A\.weight$/.exec(name)?.[1] ?? [],
  );
  if (modules.length === 0) {
    await file.close();
    throw new FormatError(weightsFile, "tensors", `have no pair named ${peftPrefix}….lora_A.weight`, folder.name);
  }
  const tensors = new Map([...file.tensors].map(([name, tensor]) => [name, convertTensor(tensor, "f32")]));
  return { path: folder.name, config, modules, tensors, [Symbol.asyncDispose]: () => file.close() };
}

function configFrom(reader: ConfigReader): AdapterConfig {
  const [rank, alpha] = [reader.size("r"), reader.magnitude("lora_alpha")];
  const scale = alpha / (reader.flag("use_rslora", false) ? Math.sqrt(rank) : rank);
  const { target_modules: targets } = reader.values;
  return {
    rank,
    alpha,
    dropout: reader.magnitude("lora_dropout", 0),
    scale,
    targets: Array.isArray(targets) ? targets.map(String) : [],
    base: reader.has("base_model_name_or_path") ? reader.text("base_model_name_or_path") : undefined,
  };
}

function parsed(text: string, path: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new FormatError(configFile, "JSON", (error as Error).message, path);
  }
}

export interface AdapterContents {
  readonly config: AdapterConfig;
  /** Matrices are stored [in, out], as GPT-2's are. */
  readonly transposed: boolean;
  readonly task: "CAUSAL_LM" | "SEQ_2_SEQ_LM";
  readonly tensors: Iterable<StoredTensor>;
}

/** Writes an adapter that PEFT opens. @param create - starts a file of this name */
export async function writeAdapter(
  create: (file: string) => Promise<ByteSink>,
  { config, transposed, task, tensors }: AdapterContents,
): Promise<string[]> {
  const values = {
    base_model_name_or_path: config.base ?? null,
    bias: "none",
    fan_in_fan_out: transposed,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: config.scale * config.rank,
    lora_dropout: config.dropout,
    modules_to_save: null,
    peft_type: "LORA",
    r: config.rank,
    target_modules: config.targets,
    task_type: task,
    use_dora: false,
    use_rslora: false,
  };
  const sink = await create(configFile);
  await sink.write(new TextEncoder().encode(`${JSON.stringify(values, null, 2)}\n`));
  await sink.close();
  await writeSafetensors(await create(weightsFile), tensors, { format: "pt" });
  return [configFile, weightsFile];
}
