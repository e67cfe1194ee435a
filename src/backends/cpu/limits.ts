/** What a machine can do at most, measured with the instructions and the threads that the kernels have. */
import { OutOfMemoryError } from "../../core/errors.js";
import type { Limit, LimitOptions, MachineLimits } from "../backend.js";
import type { CpuRuntime } from "./cpu-runtime.js";
import { instructionWords, type OperationId } from "./instructions.js";
import { CpuMemory } from "./memory.js";

/** More than the caches of most machines hold; the least that is taken where so much is not to be had. */
const [usualBytes, leastBytes] = [2 ** 30, 2 ** 24];
/** Multiples of this many bytes can be read: four streams, each of whole 64 bytes. */
const readUnit = 256;
/** Operations in a step of arithmetic: `kernels/limits.c`. */
const stepOperations = { limit_float: 32, limit_bytes: 128 } as const;
/** Steps that are tried first; then as many as take about so many nanoseconds. */
const [trySteps, stretch] = [100_000, 4e6];
const repetitions = 5;

/**
 * Measures for about a second, on one thread and on all.
 * @throws the signal's reason when it is aborted, OutOfMemoryError
 */
export async function measureLimits(
  runtime: CpuRuntime,
  { workingSetBytes, memoryBytes = usualBytes, signal }: LimitOptions,
): Promise<MachineLimits> {
  using buffer = allocateBuffer(runtime, memoryBytes);
  const best = async (operation: OperationId, args: readonly number[], threads: "one" | "all"): Promise<number> => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < repetitions; i++) {
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
      least = Math.min(least, timeInstruction(runtime, operation, args, threads));
    }
    return least / 1e9;
  };
  const limit = async (work: number, operation: OperationId, args: readonly number[]): Promise<Limit> => ({
    one: work / (await best(operation, args, "one")),
    all: work / (await best(operation, args, "all")),
  });
  const arithmetic = async (operation: keyof typeof stepOperations): Promise<Limit> => {
    const tried = await best(operation, [trySteps], "one");
    const steps = Math.ceil((trySteps * stretch) / (1e9 * tried));
    return limit(steps * stepOperations[operation], operation, [steps]);
  };
  const read = (bytes: number) => limit(bytes, "limit_read", [buffer.address, bytes]);
  const bytes = Math.min(buffer.bytes, Math.max(readUnit * 16, Math.ceil(workingSetBytes / readUnit) * readUnit));
  return {
    memoryRead: await read(buffer.bytes),
    workingSetRead: await read(bytes),
    floatOperations: await arithmetic("limit_float"),
    byteOperations: await arithmetic("limit_bytes"),
  };
}

/** Memory that was written, for pages that never were are all one page of zeros. */
function allocateBuffer(runtime: CpuRuntime, wanted: number) {
  for (let bytes = wanted; ; bytes /= 2) {
    try {
      const memory = new CpuMemory(runtime, bytes);
      runtime.preferLargePages?.(memory.address, bytes);
      memory.integers().fill(1);
      return Object.assign(memory, { [Symbol.dispose]: () => memory.dispose() });
    } catch (error) {
      if (!(error instanceof OutOfMemoryError) || bytes <= leastBytes) throw error;
    }
  }
}

/** Nanoseconds of one instruction. */
function timeInstruction(
  runtime: CpuRuntime,
  operation: OperationId,
  args: readonly number[],
  threads: "one" | "all",
): number {
  const words = BigInt64Array.from(instructionWords(operation, { fixed: 1 }, threads === "one" ? 1 : 2 ** 30, args));
  const [plan, times] = [new CpuMemory(runtime, words.byteLength), new CpuMemory(runtime, 8)];
  try {
    plan.write(words);
    runtime.run(plan.address, words.length, 0, times.address);
    return Number(times.longs()[0]);
  } finally {
    plan.dispose();
    times.dispose();
  }
}
