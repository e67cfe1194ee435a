/** One prompt of a beam search under way: its groups of beams, and a sequence in the cache for each beam. */
import { HithertoError } from "../../core/errors.js";
import { CounterRandom } from "../../core/random.js";
import type { Engine } from "../engine.js";
import type { OutputRow, Part } from "../run.js";
import type { Candidates, Place } from "../sampling/candidates.js";
import { NoTokenLeftError } from "../sampling/pipeline.js";
import type { Sequence } from "../sequence.js";
import { type Beam, Beams, type FinishedBeam } from "./beams.js";
import { BestContinuations, type Continuation } from "./continuations.js";
import type { BeamSettings } from "./options.js";
import { PhrasesMissingError } from "./phrases.js";

/** What a search begins with. */
export interface EncodedPrompt {
  /** Encoder-decoder models: what is attended to. */
  readonly source?: ArrayLike<number>;
  /** At least one token. */
  readonly ids: ArrayLike<number>;
}

/** Processors leave no token to continue any beam of a prompt with. */
export class NoContinuationError extends HithertoError {
  readonly code = "NO_CONTINUATION";

  constructor(
    readonly prompt: number,
    readonly length: number,
  ) {
    super(`prompt ${prompt}: no token can come after ${length} generated ones, and no hypothesis has ended`);
  }
}

/** The stream of random numbers that beams are drawn with. */
const stream = 3;

/** Beams that compete with each other, and their continuations at this step. */
interface Group {
  readonly beams: Beams;
  readonly best: BestContinuations;
  /** Continuations with a token that a phrase wants next. */
  forward: Continuation[];
}

export class PromptSearch {
  readonly #groups: readonly Group[];
  readonly #bannedIds: readonly number[];
  readonly #vocabSize: number;
  /** Sequences of the running beams, group after group. */
  #sequences: Sequence[];
  /** Log-probabilities after each running beam, where they cannot be dealt with at once. */
  #rows: Float32Array[] = [];

  /** @param sequence - empty; the search disposes it */
  constructor(
    engine: Engine,
    readonly index: number,
    readonly prompt: EncodedPrompt,
    readonly settings: BeamSettings,
    sequence: Sequence,
  ) {
    const { capacity, config } = engine.network;
    const room = Math.max(1, capacity.contextLength - prompt.ids.length);
    const rules = {
      ...settings,
      beams: settings.beams / settings.groups,
      olderRules: settings.groups > 1 || settings.phrases !== undefined,
      maxTokens: Math.min(settings.maxTokens, room),
    };
    this.#groups = Array.from({ length: settings.groups }, () => {
      const beams = new Beams(rules);
      return { beams, best: new BestContinuations(beams.candidates), forward: [] };
    });
    this.#bannedIds = config.bannedIds ?? [];
    this.#vocabSize = config.vocabSize;
    this.#sequences = [sequence];
  }

  get isDone(): boolean {
    return this.#groups.every(({ beams }) => beams.running.length === 0);
  }

  /** Of all groups, best first. */
  get finished(): FinishedBeam[] {
    return this.#groups.flatMap(({ beams }) => [...beams.finished]).sort((a, b) => b.score - a.score);
  }

  /** Beams that are run next: at first all groups have the same one, which is run once. */
  get #running(): readonly Beam[] {
    const { running } = this.#groups[0]!.beams;
    return this.#isBeginning ? running : this.#groups.flatMap(({ beams }) => [...beams.running]);
  }

  get #isBeginning(): boolean {
    return this.#groups[0]!.beams.running[0]?.tokens.length === 0;
  }

  /** What each beam has to run next: at first the prompt, as far as its sequence has not got it, then the token that was chosen last. */
  parts(): Part[] {
    return this.#running.map(({ tokens }, i) => ({
      sequence: this.#sequences[i]!,
      ids: tokens.length === 0 ? Array.from(this.prompt.ids).slice(this.#sequences[i]!.length) : tokens.slice(-1),
      outputs: "last",
    }));
  }

  /** Blocks of the cache that the next step takes, or a few less. */
  blocksNeeded(): number {
    return this.parts().reduce((sum, { sequence, ids }) => sum + sequence.table.blocksNeeded(ids.length), 0);
  }

  /** Whether continuations can be ranked as they come, from the logits where they lie. */
  get #isPlain(): boolean {
    const { pipeline, groups, seed, phrases } = this.settings;
    if (phrases !== undefined) return false;
    return groups === 1 && seed === undefined && pipeline.stages.every(({ name }) => name === "banned");
  }

  /** Takes the logits after a beam's last token. The row is changed. */
  offer(beam: number, { logits, logSumExp }: OutputRow): void {
    if (!this.#isPlain) {
      this.#rows[beam] = logits.map((z) => z - logSumExp);
      return;
    }
    for (const id of this.#bannedIds) logits[id] = Number.NEGATIVE_INFINITY;
    const { beams, best } = this.#groups[0]!;
    best.offer(beam, logits, beams.running[beam]!.logprob - logSumExp);
  }

  /** Settles which beams go on; each takes over its parent's sequence, or a fork of it. */
  async choose(): Promise<void> {
    const isBeginning = this.#isBeginning;
    const chosen = new Map<number, number>();
    const children: { parent: number }[] = [];
    let [length, first] = [0, 0];
    for (const [index, group] of this.#groups.entries()) {
      const { beams, best } = group;
      const before = beams.running;
      if (before.length === 0) continue;
      length = before[0]!.tokens.length;
      if (!this.#isPlain) await this.#rank(index, first, chosen);
      beams.advance(best.list(), group.forward);
      best.clear();
      group.forward = [];
      for (const { parent } of beams.running) children.push({ parent: first + parent });
      for (const token of beams.chosen) chosen.set(token, (chosen.get(token) ?? 0) + 1);
      if (!isBeginning) first += before.length;
    }
    this.#rows = [];
    if (this.isDone && this.finished.length === 0) throw this.#failure(length);
    this.#reorder(children);
  }

  /** @param length - tokens of the beams before the last step */
  #failure(length: number): HithertoError {
    const isWhole = length + 1 >= this.#groups[0]!.beams.rules.maxTokens;
    if (this.settings.phrases !== undefined && isWhole) return new PhrasesMissingError(this.index, length + 1);
    return new NoContinuationError(this.index, length);
  }

  /**
   * Offers the continuations of a group's beams, as processors leave them.
   * @param first - index of its first beam among all that were run
   * @param chosen - how many beams of the groups before it have just chosen each token
   */
  async #rank(index: number, first: number, chosen: ReadonlyMap<number, number>): Promise<void> {
    const { beams, best, forward } = this.#groups[index]!;
    const { diversityPenalty, seed, phrases } = this.settings;
    for (const [i, { tokens, logprob }] of beams.running.entries()) {
      const candidates = await this.#process(this.#rows[first + i]!, tokens, first + i);
      if (candidates === undefined) continue;
      for (const [token, count] of chosen) candidates.change(token, (z) => z - diversityPenalty * count);
      const row = (tokens.length * this.settings.beams + index * beams.rules.beams + i) * this.#vocabSize;
      const random = seed === undefined ? undefined : new CounterRandom(seed, stream);
      best.offerSome(i, candidates, logprob, random && ((token) => gumbel(random.uniform(row + token))));
      for (const token of phrases?.next(tokens) ?? []) {
        const score = candidates.scoreOf(token);
        if (score > Number.NEGATIVE_INFINITY) forward.push({ beam: i, token, logprob: logprob + score });
      }
    }
  }

  /** @returns undefined where nothing can come after the beam: others may go on */
  async #process(row: Float32Array, tokens: readonly number[], beam: number): Promise<Candidates | undefined> {
    const { pipeline, seed = 0, beams } = this.settings;
    const ids = [...Array.from(this.prompt.ids), ...tokens];
    const uniform = (kind: number) => new CounterRandom(seed, stream + kind).uniform(ids.length * beams + beam);
    const place: Place = { ids, promptLength: this.prompt.ids.length, uniform };
    try {
      return pipeline.mayWait ? await pipeline.runWaiting(row, place) : pipeline.run(row, place);
    } catch (error) {
      if (error instanceof NoTokenLeftError) return undefined;
      throw error;
    }
  }

  /** Gives every child its parent's sequence, or a fork of it where another child has that already. */
  #reorder(children: readonly { parent: number }[]): void {
    const before = this.#sequences;
    const taken = new Set<number>();
    this.#sequences = children.map(({ parent }) => {
      const sequence = before[parent]!;
      if (taken.has(parent)) return sequence.fork();
      taken.add(parent);
      return sequence;
    });
    for (const [i, sequence] of before.entries()) if (!taken.has(i)) sequence.dispose();
  }

  dispose(): void {
    for (const sequence of this.#sequences) sequence.dispose();
    this.#sequences = [];
  }
}

/** @param u - in [0, 1) */
function gumbel(u: number): number {
  return -Math.log(-Math.log(u === 0 ? Number.MIN_VALUE : u));
}
