/** Where the time of a program goes: nanoseconds of each of its instructions, beside the work that they did. */
import type { InstructionProfile } from "../backend.js";
import type { CpuRuntime } from "./cpu-runtime.js";
import type { Instruction } from "./instructions.js";
import { CpuMemory } from "./memory.js";
import { type Operands, type Work, workOf } from "./work.js";

/** Sums since the profile was begun. */
interface Sums {
  calls: number;
  bytes: number;
  operations: number | undefined;
}

/** Work that is the same whenever there are so many rows, kept so that counting takes little of what is timed. */
interface Known {
  rows: number;
  work: Work;
}

export class CpuProfile {
  /** A counter of nanoseconds for each instruction, written by the runtime. */
  readonly #times: CpuMemory;
  readonly #sums: readonly Sums[];
  readonly #known: (Known | undefined)[] = [];

  constructor(
    runtime: CpuRuntime,
    readonly instructions: readonly Instruction[],
    readonly operands: Operands,
  ) {
    this.#times = new CpuMemory(runtime, Math.max(1, instructions.length) * 8);
    this.#sums = instructions.map(() => ({ calls: 0, bytes: 0, operations: 0 }));
  }

  get address(): number {
    return this.#times.address;
  }

  /** Counts what a run with these live sizes has to do. The program's inputs are those of the run. */
  count(live: Int32Array): void {
    for (const [index, { rows: extent }] of this.instructions.entries()) {
      const rows = "fixed" in extent ? extent.fixed : live[extent.live]!;
      if (rows === 0) continue;
      const sums = this.#sums[index]!;
      const { bytes, operations } = this.#work(index, rows);
      sums.calls++;
      sums.bytes += bytes;
      sums.operations = operations === undefined ? undefined : sums.operations! + operations;
    }
  }

  #work(index: number, rows: number): Work {
    const { operation, node, others } = this.instructions[index]!;
    if (operation.startsWith("attention") || operation === "product_left")
      return workOf(operation, node, rows, this.operands);
    let known = this.#known[index];
    if (known?.rows !== rows) {
      const works = [node, ...others].map((each) => workOf(operation, each, rows, this.operands));
      known = { rows, work: works.reduce(sumOf) };
    }
    this.#known[index] = known;
    return known.work;
  }

  results(): InstructionProfile[] {
    const times = this.#times.longs();
    return this.instructions.map(({ operation, node }, index) => {
      return { operation, result: node.output.name, nanoseconds: Number(times[index]!), ...this.#sums[index]! };
    });
  }

  dispose(): void {
    this.#times.dispose();
  }
}

function sumOf(a: Work, b: Work): Work {
  const known = a.operations !== undefined && b.operations !== undefined;
  return { bytes: a.bytes + b.bytes, operations: known ? a.operations + b.operations : undefined };
}
