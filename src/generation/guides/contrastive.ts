/** Contrastive search: runs each of the likeliest tokens, and takes the one whose state is least like those before. */
import { InvalidValueError } from "../../core/errors.js";
import type { DecoderProgram } from "../../models/network.js";
import type { Part } from "../run.js";
import type { Place } from "../sampling/candidates.js";
import type { OwnProcessor } from "../sampling/stages.js";
import type { Sequence } from "../sequence.js";
import { contrast, logSoftmax, normalise } from "./formulas.js";
import type { Guide, Guided } from "./guides.js";
import type { ContrastiveOptions } from "./options.js";

/** A candidate, and the state that the model has after it. */
interface Candidate {
  readonly token: number;
  readonly probability: number;
  readonly state: Float32Array;
}

export class ContrastiveSearch implements Guide {
  readonly processor: OwnProcessor = {
    name: "contrastive",
    process: (scores, place) => this.#choose(scores, place),
  };
  /** States of the timeline's tokens, each of length 1, and the tokens. */
  #states: Float32Array[] = [];
  #ids: number[] = [];
  readonly #name: string;

  constructor(
    readonly guided: Guided,
    readonly options: ContrastiveOptions,
  ) {
    const { config } = guided.engine.network;
    const prefix = config.kind === "decoder-only" ? "" : "decoder.";
    const { finalNorm, layers } = config.decoder;
    this.#name = finalNorm ? `${prefix}norm` : `${prefix}blocks.${layers.length - 1}.output`;
  }

  /** Leaves one token. */
  async #choose(scores: Float32Array, { ids }: Place): Promise<Float32Array> {
    const main = this.guided.sequence();
    if (main.adapter !== undefined) {
      throw new InvalidValueError("contrastive", "absent where there is an adapter", main.adapter.path);
    }
    await this.#learn(main, ids);
    const candidates = await this.#candidates(main, scores, ids.length);
    const best = contrast(
      candidates.map(({ probability }) => probability),
      candidates.map(({ state }) => state),
      this.#states,
      this.options.penaltyAlpha,
    );
    const { token, state } = candidates[best]!;
    this.#ids.push(token);
    this.#states.push(normalise(state));
    return scores.map((_, id) => (id === token ? 0 : Number.NEGATIVE_INFINITY));
  }

  /** Has the states of all tokens so far: of those that were chosen here, they are known. */
  async #learn(main: Sequence, ids: readonly number[]): Promise<void> {
    let from = 0;
    while (from < Math.min(this.#ids.length, ids.length) && this.#ids[from] === ids[from]) from++;
    this.#ids = [...ids];
    this.#states.length = from;
    if (from === ids.length) return;
    const sequence = main.fork();
    try {
      sequence.table.truncate(Math.min(sequence.length, from));
      for (const state of await this.#run([{ sequence, ids: ids.slice(sequence.length), outputs: "none" }])) {
        this.#states.push(normalise(state));
      }
    } finally {
      sequence.dispose();
    }
  }

  /** The k likeliest, likeliest first; of equal ones that with the lower id. */
  async #candidates(main: Sequence, scores: Float32Array, length: number): Promise<Candidate[]> {
    const logprobs = logSoftmax(scores);
    const tokens = likeliest(logprobs, this.options.topK ?? 4);
    const sequences = tokens.map(() => main.fork());
    try {
      for (const sequence of sequences) sequence.table.truncate(Math.min(sequence.length, length));
      const parts = tokens.map((token, i) => ({ sequence: sequences[i]!, ids: [token], outputs: "none" as const }));
      const states = await this.#run(parts);
      return tokens.map((token, i) => ({ token, probability: Math.exp(logprobs[token]!), state: states[i]! }));
    } finally {
      for (const sequence of sequences) sequence.dispose();
    }
  }

  /** The last state of each token that is run. */
  async #run(parts: readonly Part[]): Promise<Float32Array[]> {
    const { engine } = this.guided;
    const width = engine.network.config.decoder.hiddenSize;
    const states: Float32Array[] = [];
    const onRun = (program: DecoderProgram, tokens: number) => {
      const values = program.kept(this.#name);
      for (let i = 0; i < tokens; i++) states.push(values.slice(i * width, (i + 1) * width));
    };
    await engine.advance(parts, { program: engine.network.secondProgram([this.#name]), onRun });
    return states;
  }

  inherit(other: ContrastiveSearch): void {
    this.#ids = [...other.#ids];
    this.#states = [...other.#states];
  }
}

/** Ids of the k largest, in order; of equal ones the lower id first. Without those that are −∞. */
function likeliest(logprobs: Float64Array, k: number): number[] {
  const ids: number[] = [];
  for (const [id, logprob] of logprobs.entries()) {
    const last = ids.length < k ? Number.NEGATIVE_INFINITY : logprobs[ids[k - 1]!]!;
    if (!(logprob > last)) continue;
    const at = ids.findIndex((other) => logprobs[other]! < logprob);
    ids.splice(at < 0 ? ids.length : at, 0, id);
    if (ids.length > k) ids.pop();
  }
  return ids;
}
