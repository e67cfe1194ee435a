/** Classifier-free guidance: a second timeline, with another prompt and the same completion, says what to keep away from. */
import { InvalidValueError } from "../../core/errors.js";
import type { Place } from "../sampling/candidates.js";
import type { OwnProcessor } from "../sampling/stages.js";
import type { Sequence } from "../sequence.js";
import { guide } from "./formulas.js";
import type { Guide, Guided } from "./guides.js";
import type { GuidanceOptions } from "./options.js";

export class Guidance implements Guide {
  readonly processor: OwnProcessor = {
    name: "guidance",
    process: (scores, place) => this.#guide(scores, place),
  };
  /** Tokens of the second timeline that have run. */
  #ids: number[] = [];
  #sequence: Sequence | undefined;
  readonly #negative: ArrayLike<number> | undefined;

  constructor(
    readonly guided: Guided,
    readonly options: GuidanceOptions,
  ) {
    const { negative } = options;
    const isDecoder = guided.engine.network.config.kind === "decoder-only";
    if (typeof negative === "string" || (negative === undefined ? !isDecoder : negative.length === 0)) {
      throw new InvalidValueError("guidance.negative", "at least one token id", negative);
    }
    this.#negative = negative;
  }

  async #guide(scores: Float32Array, place: Place): Promise<Float32Array> {
    const unconditional = await this.#unconditional(this.#timeline(place));
    return guide(scores, unconditional, this.options.scale);
  }

  /** An encoder-decoder model's differs in its source alone. */
  #timeline({ ids, promptLength }: Place): number[] {
    if (this.guided.engine.network.config.kind !== "decoder-only") return [...ids];
    const negative = this.#negative ?? ids.slice(promptLength - 1, promptLength);
    return [...Array.from(negative), ...ids.slice(promptLength)];
  }

  /** Logits after the last of `ids`; runs what is not in the cache. */
  async #unconditional(ids: number[]): Promise<Float32Array> {
    const { engine } = this.guided;
    this.#sequence ??= await this.#begin();
    const sequence = this.#sequence;
    this.#follow(sequence);
    let from = 0;
    while (from < Math.min(this.#ids.length, ids.length - 1) && this.#ids[from] === ids[from]) from++;
    sequence.table.truncate(from);
    this.#ids.length = from;
    const logits = new Float32Array(engine.network.config.vocabSize);
    const part = { sequence, ids: ids.slice(from), outputs: "last" as const };
    await engine.advance([part], { onOutput: (row) => logits.set(row.logits) });
    this.#ids = ids;
    return logits;
  }

  #begin(): Promise<Sequence> {
    const { engine } = this.guided;
    return engine.sequence(engine.network.config.kind === "decoder-only" ? undefined : this.#negative);
  }

  /** Runs with the adapter of the first timeline, whichever that is now. */
  #follow(sequence: Sequence): void {
    const { adapter } = this.guided.sequence();
    if (sequence.adapter === adapter) return;
    sequence.table.truncate(0);
    this.#ids.length = 0;
    sequence.adapter = adapter;
  }

  inherit(other: Guidance): void {
    this.#ids = [...other.#ids];
    this.#sequence = other.#sequence?.fork();
  }

  dispose(): void {
    this.#sequence?.dispose();
    this.#sequence = undefined;
  }
}
