/**
 * Runs a reader over many damaged files and holds it to the promise of this package about files from strangers:
 * it either succeeds or throws a typed error that names the field; it never hangs and never allocates from a
 * count that the file cannot back.
 */
import { HithertoError } from "../../src/core/errors.js";
import { MutationRandom } from "./mutate.js";

/** What to attack, and how often. */
export interface Attack {
  /** For messages. */
  readonly format: string;
  /** Makes damaged file number `index` from the random numbers given. */
  readonly damage: (random: MutationRandom, index: number) => Uint8Array;
  /** Reads it, as far as a user of the format would. */
  readonly read: (bytes: Uint8Array) => Promise<void>;
  /** Inputs to try. Default: `HITHERTO_FUZZ`, else 20,000. */
  readonly count?: number;
  /** First seed; input `i` uses seed + i. Default: `HITHERTO_FUZZ_SEED`, else 1. */
  readonly seed?: number;
}

/** What happened to the inputs: how many were read, how many refused (by error code), and the slowest in ms. */
export interface Survival {
  readonly inputs: number;
  readonly accepted: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly largestGrowthBytes: number;
}

/** How long a test that calls `survive` once may take: as long as it wants when more inputs were asked for. */
export const survivalTimeoutMs = process.env.HITHERTO_FUZZ === undefined ? 60_000 : 24 * 3_600_000;

/** No single input may take longer than this. */
const limitMs = 1000;
/** Memory that one input may take beyond twice its own size. */
const slackBytes = 64 * 2 ** 20;

/**
 * @throws Error naming the input's seed when it throws anything but a `HithertoError` with a message, takes
 *   over a second, or grows memory by more than twice its size plus 64 MB.
 */
export async function survive(attack: Attack): Promise<Survival> {
  const count = attack.count ?? Number(process.env.HITHERTO_FUZZ ?? 20_000);
  const firstSeed = attack.seed ?? Number(process.env.HITHERTO_FUZZ_SEED ?? 1);
  const refused: Record<string, number> = {};
  let accepted = 0;
  let slowestMs = 0;
  let largestGrowthBytes = 0;
  for (let index = 0; index < count; index++) {
    const where = `${attack.format}, seed ${firstSeed + index}`;
    const bytes = attack.damage(new MutationRandom(firstSeed + index), index);
    const memoryBefore = memoryInUse();
    const timer = startTimer();
    try {
      await attack.read(bytes);
      accepted++;
    } catch (error) {
      const code = codeOfRefusal(error, where);
      refused[code] = (refused[code] ?? 0) + 1;
    }
    const elapsedMs = timer();
    const growth = memoryInUse() - memoryBefore;
    slowestMs = Math.max(slowestMs, elapsedMs);
    largestGrowthBytes = Math.max(largestGrowthBytes, growth);
    if (elapsedMs > limitMs) throw new Error(`${where}: took ${elapsedMs.toFixed(0)} ms`);
    if (growth > 2 * bytes.length + slackBytes)
      throw new Error(`${where}: grew by ${growth} for ${bytes.length} bytes`);
  }
  return { inputs: count, accepted, refused, slowestMs, largestGrowthBytes };
}

/** @throws Error when a refusal is not what this package promises: typed, worded, and naming a field if it has one. */
function codeOfRefusal(error: unknown, where: string): string {
  if (!(error instanceof HithertoError) || error.code === "INTERNAL" || error.message === "") {
    throw new Error(`${where}: not a typed error: ${String(error)}`, { cause: error });
  }
  if ("field" in error && (typeof error.field !== "string" || error.field === "")) {
    throw new Error(`${where}: names no field: ${error.message}`, { cause: error });
  }
  return error.code;
}

/** Milliseconds since, by the clock or by processor time, whichever is less: another process may hold us up. */
function startTimer(): () => number {
  const wall = performance.now();
  const processor = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(processor);
    return Math.min(performance.now() - wall, (user + system) / 1000);
  };
}

function memoryInUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
