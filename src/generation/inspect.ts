/** Looking inside: the program that generates, compiled once more with some of its results kept. */
import { InvalidValueError, UnsupportedError } from "../core/errors.js";
import { rowWidth } from "../graph/tensor.js";
import type { DecoderProgram, Network } from "../models/network.js";
import type { AdvanceOptions, Engine } from "./engine.js";
import type { Sequence } from "./sequence.js";

/** A result for every token of a sequence. */
export interface Inspection {
  /** [tokens, width]; for attention weights, width is heads · keys, keys being the tokens. */
  readonly shape: readonly [number, number];
  readonly values: Float32Array;
}

/** @throws InvalidValueError for a name that the model's graph does not have */
export async function inspect(
  engine: Engine,
  input: ArrayLike<number> | { readonly source: ArrayLike<number>; readonly target: ArrayLike<number> },
  names: readonly string[],
): Promise<Map<string, Inspection>> {
  const { source, target } = "source" in input ? input : { source: undefined, target: input };
  const program = engine.network.compileInspection(names, target.length);
  try {
    const sequence = await engine.sequence(source);
    try {
      const collected = new Collected(program, names, target.length);
      const onRun = (_: DecoderProgram, tokens: number) => collected.take(tokens);
      await engine.advance([{ sequence, ids: target, outputs: "all" }], { program, onRun });
      return collected.results;
    } finally {
      sequence.dispose();
    }
  } finally {
    program.dispose();
  }
}

/** Attention matrices, whose rows are heads · keys wide. */
const isMatrix = /\.(scores|probabilities)$/;

/** The same for what one step of a session runs. Its program is kept by the network for the steps that follow. */
export class StepInspection {
  #collected: Collected | undefined;

  /** @throws InvalidValueError for no names, UnsupportedError for a sequence with an adapter of its own */
  constructor(
    readonly network: Network,
    readonly names: readonly string[],
    readonly sequence: Sequence,
  ) {
    if (sequence.adapter !== undefined) throw new UnsupportedError("inspect of a session with", "an adapter", ["none"]);
    if (!Array.isArray(names) || names.length === 0) {
      throw new InvalidValueError("inspect", "names of results, as `Model.resultNames` gives them", names);
    }
  }

  /** What was asked for; attention weights [tokens, heads · keys], keys being the tokens of the sequence. */
  get results(): ReadonlyMap<string, Inspection> | undefined {
    return this.#collected?.results;
  }

  /**
   * For a run of the sequence's last tokens.
   * @param length - tokens of the sequence afterwards
   * @param count - how many of them are run
   */
  advanceOptions(length: number, count: number): Pick<AdvanceOptions, "program" | "onRun"> {
    const { contextLength } = this.network.capacity;
    const { sequence } = this;
    const longest = Math.max(length, sequence.source?.length ?? 0);
    const keys = this.names.some((name) => isMatrix.test(name)) ? 2 ** Math.ceil(Math.log2(Math.max(32, longest))) : 1;
    const used = (name: string) => (name.includes("crossAttention") ? (sequence.source?.length ?? 0) : length);
    const program = () => {
      const made = this.network.inspection(this.names, Math.min(keys, contextLength));
      this.#collected = new Collected(made, this.names, count, (name) =>
        isMatrix.test(name) ? { heads: this.network.config.decoder.attention.headCount, keys: used(name) } : undefined,
      );
      return made;
    };
    return { program, onRun: (_, tokens) => this.#collected!.take(tokens) };
  }
}

/** Gathers the rows of every run. Results of the output head have one row per output; here every token has one. */
class Collected {
  readonly results = new Map<string, Inspection>();
  #done = 0;

  /** @param matrix - of a result that is heads · keys wide, how many keys are to be given; default: as many as there are */
  constructor(
    readonly program: DecoderProgram,
    readonly names: readonly string[],
    readonly tokens: number,
    readonly matrix: (name: string) => { heads: number; keys: number } | undefined = () => undefined,
  ) {
    for (const name of names) {
      const shape = matrix(name);
      const width = shape === undefined ? this.#width(name) : shape.heads * shape.keys;
      this.results.set(name, { shape: [tokens, width], values: new Float32Array(tokens * width) });
    }
  }

  take(tokens: number): void {
    for (const name of this.names) {
      const { shape, values } = this.results.get(name)!;
      const { heads } = this.matrix(name) ?? { heads: 1 };
      const [from, to] = [this.#width(name) / heads, shape[1] / heads];
      const kept = this.program.kept(name);
      for (let row = 0; row < tokens * heads; row++) {
        values.set(kept.subarray(row * from, row * from + to), (this.#done * heads + row) * to);
      }
    }
    this.#done += tokens;
  }

  #width(name: string): number {
    return rowWidth(this.program.graph.graph.find(name)!);
  }
}
