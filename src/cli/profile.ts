/** Where a model's time goes: its prefill and its decode steps by kind of instruction, beside the machine's limits. */
import type { InstructionProfile, MachineLimits } from "../backends/backend.js";
import { UnsupportedError } from "../core/errors.js";
import { generate } from "../generation/generate.js";
import type { Model } from "../generation/model.js";
import { type MeasureOptions, randomIds } from "./measure.js";

/** All instructions of one kind, in one run. */
export interface KindProfile {
  /** Such as `linear_q8_0`: for linear maps, with the storage type of their matrix. */
  readonly operation: string;
  readonly calls: number;
  readonly milliseconds: number;
  /** Of the time of all instructions. */
  readonly share: number;
  readonly bytesPerSecond: number;
  /** Multiplications and additions; absent where they are not what takes the time. */
  readonly operationsPerSecond?: number;
  /** The limit that it comes nearest to, and how near; absent for what works within a cache. */
  readonly nearest?: { readonly limit: "read" | "float" | "byte"; readonly reached: number };
}

/** One run of a kind: a prefill, or a decode step. */
export interface PhaseProfile {
  readonly milliseconds: number;
  /** Of `milliseconds`, what passed outside of instructions: in JavaScript, most of all. */
  readonly outsideMilliseconds: number;
  readonly kinds: readonly KindProfile[];
}

/** How fast a decode step could be, were nothing but reading to take time. */
export interface DecodeBound {
  /** Weights and cache that a step reads. */
  readonly bytesPerToken: number;
  /** Bytes per token over the read bandwidth of a buffer as large as the weights, with all threads. */
  readonly tokensPerSecond: number;
}

export interface ModelProfile {
  readonly limits: MachineLimits;
  readonly prefill: PhaseProfile;
  readonly decode: PhaseProfile & { readonly bound: DecodeBound };
}

/** Sums over all runs of a phase. */
interface Recording {
  runs: number;
  milliseconds: number;
  readonly instructions: Map<string, InstructionProfile>;
}

export interface ProfileOptions extends MeasureOptions {
  /** How much memory the read bandwidth is measured on; see `LimitOptions`. */
  readonly memoryBytes?: number;
}

/** @throws UnsupportedError for a backend that has no instructions to time, and the signal's reason */
export async function profileModel(model: Model, options: ProfileOptions): Promise<ModelProfile> {
  const { network } = model.engine;
  const { backend, decoder, weightBytes } = network;
  const { startProfile, stopProfile } = decoder;
  if (backend.measureLimits === undefined || startProfile === undefined || stopProfile === undefined) {
    throw new UnsupportedError("a profile on the backend", backend.name, ["native", "wasm"]);
  }
  const { signal, memoryBytes } = options;
  const limits = await backend.measureLimits({ workingSetBytes: weightBytes, signal, memoryBytes });
  const [prefill, decode] = [newRecording(), newRecording()];
  const record = async (into: Recording, runs: number, work: () => Promise<unknown>): Promise<void> => {
    startProfile();
    const start = performance.now();
    await work();
    into.milliseconds += performance.now() - start;
    into.runs += runs;
    for (const each of stopProfile()) add(into.instructions, each);
  };
  for (let run = 0; run < options.repeat; run++) {
    const ids = randomIds(model, options.prefill, run);
    using session = await model.session(model.config.kind === "encoder-decoder" ? { source: ids } : ids);
    await record(prefill, 1, () => session.logits(signal));
    const decoding = { maxTokens: options.decode + 1, stopping: { endIds: false }, ...(signal && { signal }) };
    const generation = generate(() => session, decoding, []);
    await generation.next(); // the prefill's token
    await record(decode, options.decode, async () => {
      for await (const _ of generation);
    });
    options.onProgress?.(run + 1, options.repeat);
  }
  return {
    limits,
    prefill: phaseOf(prefill, limits),
    decode: { ...phaseOf(decode, limits), bound: boundOf(decode, limits) },
  };
}

function newRecording(): Recording {
  return { runs: 0, milliseconds: 0, instructions: new Map() };
}

function add(sums: Map<string, InstructionProfile>, each: InstructionProfile): void {
  const sum = sums.get(each.operation);
  if (sum === undefined) {
    sums.set(each.operation, each);
    return;
  }
  const operations =
    sum.operations === undefined || each.operations === undefined ? undefined : sum.operations + each.operations;
  const [calls, nanoseconds] = [sum.calls + each.calls, sum.nanoseconds + each.nanoseconds];
  sums.set(each.operation, { ...sum, calls, nanoseconds, bytes: sum.bytes + each.bytes, operations });
}

function phaseOf({ runs, milliseconds, instructions }: Recording, limits: MachineLimits): PhaseProfile {
  const ran = [...instructions.values()].filter(({ calls }) => calls > 0);
  const total = ran.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  const kinds = ran
    .sort((a, b) => b.nanoseconds - a.nanoseconds)
    .map((each) => ({
      operation: each.operation,
      calls: each.calls / runs,
      milliseconds: each.nanoseconds / 1e6 / runs,
      share: each.nanoseconds / total,
      bytesPerSecond: rate(each.bytes, each.nanoseconds),
      ...(each.operations !== undefined && { operationsPerSecond: rate(each.operations, each.nanoseconds) }),
      ...(readsWeightsOrCache(each) && { nearest: nearestLimit(each, limits) }),
    }));
  return { milliseconds: milliseconds / runs, outsideMilliseconds: (milliseconds - total / 1e6) / runs, kinds };
}

function nearestLimit({ operation, nanoseconds, bytes, operations = 0 }: InstructionProfile, limits: MachineLimits) {
  const read = { limit: "read" as const, reached: rate(bytes, nanoseconds) / limits.workingSetRead.all };
  const ofFloats = /^(linear_(f32|f16|bf16)|attention)/.test(operation);
  const limit = ofFloats ? ("float" as const) : ("byte" as const);
  const most = ofFloats ? limits.floatOperations : limits.byteOperations;
  const arithmetic = { limit, reached: rate(operations, nanoseconds) / most.all };
  return read.reached >= arithmetic.reached ? read : arithmetic;
}

/** What passes between operations stays in the processor's caches; weights and the KV cache come from memory. */
function readsWeightsOrCache({ operation }: InstructionProfile): boolean {
  return /^(linear_|attention)/.test(operation);
}

function boundOf({ runs, instructions }: Recording, limits: MachineLimits): DecodeBound {
  const reading = [...instructions.values()].filter(readsWeightsOrCache);
  const bytesPerToken = reading.reduce((sum, { bytes }) => sum + bytes, 0) / runs;
  return { bytesPerToken, tokensPerSecond: limits.workingSetRead.all / bytesPerToken };
}

/** Per second. */
function rate(amount: number, nanoseconds: number): number {
  return nanoseconds === 0 ? 0 : (1e9 * amount) / nanoseconds;
}
