/** Machines made of machines: lengths, intersections and complements of texts inside JSON strings. */
import { holdLimit } from "../limits.js";
import { everyCharacter } from "./code-points.js";
import { jsonEncoding } from "./encoding.js";
import { type CharacterMachine, characterMachine, type Machine, TableMachine } from "./machine.js";

/**
 * Texts of `min` to `max` characters of a JSON string, without its quotes.
 * A state is the number of characters before and the state in the one under way.
 */
export class LengthMachine implements Machine {
  readonly start: number;
  readonly #character: CharacterMachine = characterMachine(everyCharacter, jsonEncoding);
  readonly #last: number;

  constructor(
    readonly min: number,
    readonly max: number,
  ) {
    // Beyond what either bound asks for, counting is over.
    this.#last = max === Number.POSITIVE_INFINITY ? min : max + 1;
    this.start = this.#state(0, this.#character.start);
  }

  accepts(state: number): boolean {
    const count = Math.floor(state / states);
    return state % states === this.#character.start && count >= this.min && count <= this.max;
  }

  step(state: number, byte: number): number {
    const count = Math.floor(state / states);
    const next = this.#character.step(state % states, byte);
    if (next < 0 || count >= this.max) return -1;
    return this.#character.accepts(next)
      ? this.#state(Math.min(count + 1, this.#last), this.#character.start)
      : this.#state(count, next);
  }

  #state(count: number, inside: number): number {
    return count * states + inside;
  }
}

/** More than a character machine of every character has states. */
const states = 256;

/** One of the languages that an intersection is made of, or its complement. */
export interface Factor {
  readonly machine: Machine;
  readonly negated: boolean;
}

/** Texts that are in every factor. At least one factor must not be negated: it says what a text is. */
export class IntersectionMachine extends TableMachine {
  readonly start: number;
  /** Whether there is no such text. */
  readonly isEmpty: boolean;
  readonly #tuples: (readonly number[])[] = [];
  readonly #ids = new Map<string, number>();
  /** 1: can still end, 0: cannot, undefined: not known yet. */
  readonly #live: (0 | 1 | undefined)[] = [];

  /** @throws ConstraintLimitError */
  constructor(readonly factors: readonly Factor[]) {
    super();
    this.start = this.#state(factors.map(({ machine }) => machine.start));
    this.isEmpty = !this.#isLive(this.start);
  }

  accepts(state: number): boolean {
    const tuple = this.#tuples[state];
    return this.factors.every(({ machine, negated }, i) => (tuple[i] >= 0 && machine.accepts(tuple[i])) !== negated);
  }

  protected next(state: number, byte: number): number {
    const next = this.#advance(state, byte);
    return next >= 0 && this.#isLive(next) ? next : -1;
  }

  /** The next state, whether it can end or not. */
  #advance(state: number, byte: number): number {
    const tuple = this.#tuples[state];
    const next: number[] = [];
    for (const [i, { machine, negated }] of this.factors.entries()) {
      const part = tuple[i] < 0 ? -1 : machine.step(tuple[i], byte);
      if (part < 0 && !negated) return -1;
      next.push(part);
    }
    return this.#state(next);
  }

  #state(tuple: readonly number[]): number {
    const key = tuple.join(",");
    let state = this.#ids.get(key);
    if (state === undefined) {
      state = this.#tuples.push(tuple) - 1;
      this.#ids.set(key, state);
    }
    return state;
  }

  /** Looks for an end, breadth first; what is learned about the states on the way is kept. */
  #isLive(from: number): boolean {
    const known = this.#live[from];
    if (known !== undefined) return known === 1;
    const parents = new Map<number, number>([[from, -1]]);
    for (const state of parents.keys()) {
      if (this.#live[state] === 1 || this.accepts(state)) {
        for (let at = state; at >= 0; at = parents.get(at)!) this.#live[at] = 1;
        return true;
      }
      if (this.#live[state] === 0) continue;
      holdLimit("exploredStates", parents.size);
      for (let byte = 0; byte < 256; byte++) {
        const next = this.#advance(state, byte);
        if (next >= 0 && !parents.has(next)) parents.set(next, state);
      }
    }
    for (const state of parents.keys()) this.#live[state] ??= 0;
    return false;
  }
}

/** A JSON string whose content is in a language: the quotes around it. */
export class QuotedMachine implements Machine {
  readonly start = 0;

  constructor(readonly content: Machine) {}

  step(state: number, byte: number): number {
    if (state === 0) return byte === quote ? this.content.start + 2 : -1;
    if (state === 1) return -1;
    if (byte === quote && this.content.accepts(state - 2)) return 1;
    const next = this.content.step(state - 2, byte);
    return next < 0 ? -1 : next + 2;
  }

  accepts(state: number): boolean {
    return state === 1;
  }
}

const quote = 0x22;
