/**
 * Processors that run the model once more at every step: guidance and DoLa come before all others, contrastive search
 * after them. They look at the timeline as it is, so that a session that was rewound or forked continues as a fresh one
 * would; what they keep only spares them running the same tokens again. Without them nothing here is made.
 */
import type { Engine } from "../engine.js";
import type { OwnProcessor } from "../sampling/stages.js";
import type { Sequence } from "../sequence.js";
import { ContrastiveSearch } from "./contrastive.js";
import { Dola } from "./dola.js";
import { Guidance } from "./guidance.js";
import { checkGuides, type GuideOptions } from "./options.js";

/** One of them. */
export interface Guide {
  readonly processor: OwnProcessor;
  /** Takes over what another of its kind keeps. */
  inherit?(other: this): void;
  dispose?(): void;
}

/** What a guide may ask: the session's engine, and its place in the cache, where all tokens before the choice have run. */
export interface Guided {
  readonly engine: Engine;
  readonly sequence: () => Sequence;
}

export class Guides {
  /** Before every other stage. */
  readonly first: readonly OwnProcessor[];
  /** After every other stage. */
  readonly last: readonly OwnProcessor[];
  readonly #guidance: Guidance | undefined;
  readonly #dola: Dola | undefined;
  readonly #contrastive: ContrastiveSearch | undefined;

  private constructor(guided: Guided, { guidance, dola, contrastive }: GuideOptions) {
    this.#guidance = guidance && new Guidance(guided, guidance);
    this.#dola = dola && new Dola(guided, dola);
    this.#contrastive = contrastive && new ContrastiveSearch(guided, contrastive);
    this.first = [this.#guidance, this.#dola].flatMap((guide) => guide?.processor ?? []);
    this.last = this.#contrastive === undefined ? [] : [this.#contrastive.processor];
  }

  /**
   * @returns undefined where none is asked for
   * @throws UnknownOptionError, OutOfRangeError, InvalidValueError
   */
  static of(
    guided: Guided,
    options: GuideOptions & { readonly sampling?: object; readonly contextShift?: object },
  ): Guides | undefined {
    checkGuides(options);
    const { guidance, dola, contrastive } = options;
    return guidance || dola || contrastive ? new Guides(guided, options) : undefined;
  }

  inherit(other: Guides): void {
    if (this.#guidance && other.#guidance) this.#guidance.inherit(other.#guidance);
    if (this.#contrastive && other.#contrastive) this.#contrastive.inherit(other.#contrastive);
  }

  dispose(): void {
    this.#guidance?.dispose();
  }
}
