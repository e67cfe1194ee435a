/** DoLa: runs the last token again, through a program that also has what early layers would say. */
import { InvalidValueError } from "../../core/errors.js";
import type { DecoderProgram } from "../../models/network.js";
import type { Place } from "../sampling/candidates.js";
import type { OwnProcessor } from "../sampling/stages.js";
import { contrastLayers } from "./formulas.js";
import type { Guide, Guided } from "./guides.js";
import { type DolaOptions, earlyLayers } from "./options.js";

export class Dola implements Guide {
  readonly processor: OwnProcessor = { name: "dola", process: (scores, place) => this.#contrast(scores, place) };
  readonly #layers: readonly number[];

  constructor(
    readonly guided: Guided,
    { layers }: DolaOptions,
  ) {
    const { decoder, head } = guided.engine.network.config;
    this.#layers = earlyLayers(layers, decoder.layers.length, head.tied);
  }

  async #contrast(scores: Float32Array, { ids }: Place): Promise<Float32Array> {
    const early = await this.#early(ids);
    return contrastLayers(scores, early);
  }

  /** Logits of each early layer after the last token. */
  async #early(ids: readonly number[]): Promise<Float32Array[]> {
    const { engine } = this.guided;
    const { vocabSize } = engine.network.config;
    const program = engine.network.secondProgram([], this.#layers);
    const main = this.guided.sequence();
    if (main.adapter !== undefined)
      throw new InvalidValueError("dola", "absent where there is an adapter", main.adapter.path);
    const sequence = main.fork();
    try {
      const from = Math.min(sequence.length, ids.length - 1);
      sequence.table.truncate(from);
      let early: Float32Array[] = [];
      const onRun = (ran: DecoderProgram) => {
        early = this.#layers.map((layer) => ran.kept(`exits.${layer}`).slice(0, vocabSize));
      };
      await engine.advance([{ sequence, ids: ids.slice(from), outputs: "last" }], { program, onRun });
      return early;
    } finally {
      sequence.dispose();
    }
  }
}
