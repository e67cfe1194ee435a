/** What `train` is told. What concerns the run itself is declared as for `hitherto train`, with the same defaults. */
import { UnknownOptionError } from "../core/errors.js";
import type { CheckpointStore } from "./checkpoint-store.js";
import { flag, group, type InputOf, type OutputOf, oneOf, required, whole, withDefault } from "./config/kinds.js";
import { batch, checkpoints, evaluation, optimizer, regularisation, samples, schedule } from "./config/parts.js";

const compute = group({
  precision: withDefault(
    oneOf(["f32", "bf16"]),
    "f32",
    "of matrix products' operands; sums and weights are f32 always",
  ),
  recompute: withDefault(flag, false, "compute blocks again in the backward pass: slower, less memory"),
});

const declared = {
  seed: withDefault(whole(0), 1, "of the order of data, dropout and samples"),
  batch: required(batch, "how much at once"),
  optimizer: withDefault(optimizer, { kind: "adamw" }, "how gradients change weights"),
  schedule: required(schedule, "how long, and how the learning rate goes"),
  regularisation: withDefault(regularisation, {}, "what keeps the model from learning by heart"),
  evaluation: withDefault(evaluation, {}, "when the held-out loss is measured"),
  samples: withDefault(samples, {}, "what the model writes meanwhile"),
  checkpoints: withDefault(checkpoints, {}, "what is saved to resume from"),
  compute: withDefault(compute, {}, "how exactly products are computed, and with how much memory"),
} as const;

const settings = group(declared);

export type TrainingSettings = InputOf<typeof declared>;
export type ResolvedSettings = OutputOf<typeof declared>;
export type ResolvedSchedule = ResolvedSettings["schedule"];
export type ResolvedOptimizer = ResolvedSettings["optimizer"];

/** What a run is told beside its settings. */
export interface RunOptions {
  /** Where checkpoints go; without it none are written. */
  readonly store?: CheckpointStore;
  /** Continue from the store's newest checkpoint, where there is one; false: it must be empty. Default true. */
  readonly resume?: boolean;
  /** Stops the run after the step in progress, and saves. */
  readonly signal?: AbortSignal;
  /** Told, before the first step, what memory the run takes. */
  readonly onMemory?: (memory: TrainingMemory) => void;
}

export type TrainingOptions = TrainingSettings & RunOptions;

/** Bytes that a run takes, all settled before its first step. */
export interface TrainingMemory {
  /** Master weights. */
  readonly weights: number;
  readonly gradients: number;
  /** Means, squares, momenta: whatever the optimizer keeps per weight. */
  readonly optimizer: number;
  /** The moving average of the weights. */
  readonly average: number;
  /** Values between operations, forward and backward: the training program's and the evaluation's. */
  readonly activations: number;
  readonly total: number;
}

const runOptionNames = ["store", "resume", "signal", "onMemory"];

/** @throws ConfigError that names the key */
export function readOptions(options: TrainingOptions): { settings: ResolvedSettings; run: RunOptions } {
  const own = Object.entries(options).filter(([name]) => !runOptionNames.includes(name));
  const unknown = own.find(([name]) => !Object.hasOwn(declared, name));
  if (unknown !== undefined) throw new UnknownOptionError(unknown[0], [...Object.keys(declared), ...runOptionNames]);
  const { store, resume, signal, onMemory } = options;
  return { settings: settings.read(Object.fromEntries(own), ""), run: { store, resume, signal, onMemory } };
}
