/**
 * What a grammar is made of: regular pieces, and ways to put them together that need a stack.
 *
 * Every kind of constraint becomes a term. A term is either a machine over bytes or stands for alternatives, each a
 * list of terms one after the other, which are made when they are first asked for: an object with thirty optional
 * members has 2³⁰ ways to be half done, of which a text passes through thirty-one.
 */
import type { Machine } from "./regular/machine.js";

/** Length of the shortest text in bytes; infinite for what admits none. */
export type Shortest = number;

export abstract class Term {
  /** The alternatives that admit any text at all; undefined for a machine. Made once. */
  abstract expand(): readonly (readonly Term[])[];

  /**
   * Length of the shortest text, as far as the rules' own are settled: while they are, it only shrinks.
   * Infinite at the end: nothing of this kind exists.
   */
  abstract shortest(): Shortest;
}

/** A regular language. */
export class MachineTerm extends Term {
  #shortest: Shortest | undefined;

  constructor(readonly machine: Machine) {
    super();
  }

  expand(): readonly (readonly Term[])[] {
    return [];
  }

  shortest(): Shortest {
    this.#shortest ??= shortestText(this.machine, this.machine.start)?.length ?? Number.POSITIVE_INFINITY;
    return this.#shortest;
  }
}

/** Alternatives that are made when they are first asked for, once. */
export abstract class LazyTerm extends Term {
  #open: readonly (readonly Term[])[] | undefined;

  expand(): readonly (readonly Term[])[] {
    this.#open ??= this.alternatives();
    return this.#open;
  }

  protected abstract alternatives(): readonly (readonly Term[])[];
}

/** One of several lists. */
export class ChoiceTerm extends LazyTerm {
  constructor(readonly options: readonly (readonly Term[])[]) {
    super();
  }

  protected alternatives(): readonly (readonly Term[])[] {
    return possible(this.options);
  }

  shortest(): Shortest {
    return Math.min(Number.POSITIVE_INFINITY, ...this.options.map(shortestOfAll));
  }
}

/** A term from `min` to `max` times; `max` may be infinite. */
export class RepeatTerm extends LazyTerm {
  constructor(
    readonly body: Term,
    readonly min: number,
    readonly max: number,
  ) {
    super();
  }

  protected alternatives(): readonly (readonly Term[])[] {
    const { body, min, max } = this;
    const none: readonly Term[][] = min === 0 ? [[]] : [];
    if (max === 0 || body.shortest() === Number.POSITIVE_INFINITY) return none;
    const loops = min === 0 && max === Number.POSITIVE_INFINITY;
    const rest = loops ? this : new RepeatTerm(body, Math.max(0, min - 1), max - 1);
    return [...none, max === 1 ? [body] : [body, rest]];
  }

  shortest(): Shortest {
    return this.min === 0 ? 0 : this.min * this.body.shortest();
  }
}

/** A name for alternatives, so that they may contain themselves. */
export class RuleTerm extends LazyTerm {
  #options: readonly (readonly Term[])[] = [];
  #shortest: Shortest = Number.POSITIVE_INFINITY;

  constructor(readonly name: string) {
    super();
  }

  get options(): readonly (readonly Term[])[] {
    return this.#options;
  }

  /** Says what the rule stands for; once, after which `settle` is due. */
  define(options: readonly (readonly Term[])[]): void {
    this.#options = options;
  }

  protected alternatives(): readonly (readonly Term[])[] {
    return possible(this.#options);
  }

  shortest(): Shortest {
    return this.#shortest;
  }

  /** Takes what its alternatives say now; whether that is news. */
  update(): boolean {
    const shortest = Math.min(Number.POSITIVE_INFINITY, ...this.#options.map(shortestOfAll));
    const news = shortest < this.#shortest;
    this.#shortest = shortest;
    return news;
  }
}

/** Those that admit any text. */
function possible(options: readonly (readonly Term[])[]): readonly (readonly Term[])[] {
  return options.filter((option) => shortestOfAll(option) < Number.POSITIVE_INFINITY);
}

/** Settles the shortest text of each rule, those that contain themselves too: Knuth, 1977. */
export function settle(rules: readonly RuleTerm[]): void {
  for (let news = true; news; ) {
    news = false;
    for (const rule of rules) if (rule.update()) news = true;
  }
}

/** Length of the shortest text of terms in a row. */
export function shortestOfAll(terms: readonly Term[]): Shortest {
  let sum = 0;
  for (const term of terms) sum += term.shortest();
  return sum;
}

/** The shortest text from a state on; of several, the one with the lower bytes. Undefined where there is none. */
export function shortestText(machine: Machine, from: number): number[] | undefined {
  const parents = new Map<number, { readonly state: number; readonly byte: number }>([[from, { state: -1, byte: 0 }]]);
  for (const state of parents.keys()) {
    if (machine.accepts(state)) {
      const bytes: number[] = [];
      for (let at = parents.get(state)!; at.state >= 0; at = parents.get(at.state)!) bytes.push(at.byte);
      return bytes.reverse();
    }
    for (let byte = 0; byte < 256; byte++) {
      const next = machine.step(state, byte);
      if (next >= 0 && !parents.has(next)) parents.set(next, { state, byte });
    }
  }
  return undefined;
}
