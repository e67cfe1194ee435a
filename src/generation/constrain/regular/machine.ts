/**
 * Deterministic automata over bytes, whose states are made when they are first reached.
 *
 * What is built once and read everywhere: a `step` that has been taken before is a look-up.
 */
import type { Ranges } from "./code-points.js";
import { type ByteSequence, type Encoding, jsonEncoding, utf8Encoding } from "./encoding.js";

/** A regular language over bytes. States are small whole numbers; only states that can still end are given out. */
export interface Machine {
  readonly start: number;
  /** The state after one more byte; −1 where no text of the language goes on like this. */
  step(state: number, byte: number): number;
  /** Whether the text may end here. */
  accepts(state: number): boolean;
}

const unknown = -2;

/** The look-up part of a machine: subclasses say what follows a state, once. */
export abstract class TableMachine implements Machine {
  abstract readonly start: number;
  readonly #tables: (Int32Array | undefined)[] = [];

  step(state: number, byte: number): number {
    this.#tables[state] ??= new Int32Array(256).fill(unknown);
    const table = this.#tables[state];
    const next = table[byte];
    if (next !== unknown) return next;
    table[byte] = this.next(state, byte);
    return table[byte];
  }

  abstract accepts(state: number): boolean;

  protected abstract next(state: number, byte: number): number;
}

/** The texts that are one character of a set, written in an encoding. Its final state has no way on. */
export class CharacterMachine extends TableMachine {
  readonly start: number;
  readonly isEmpty: boolean;
  readonly #remainders: (readonly ByteSequence[])[] = [];
  readonly #byKey = new Map<string, number>();

  constructor(ranges: Ranges, encoding: Encoding) {
    super();
    const sequences = encoding(ranges);
    this.isEmpty = sequences.length === 0;
    this.start = this.#state(sequences);
  }

  accepts(state: number): boolean {
    return this.#remainders[state][0]?.length === 0;
  }

  protected next(state: number, byte: number): number {
    const rest = this.#remainders[state]
      .filter(([first]) => first !== undefined && byte >= first[0] && byte <= first[1])
      .map((sequence) => sequence.slice(1));
    return rest.length === 0 ? -1 : this.#state(rest);
  }

  #state(sequences: readonly ByteSequence[]): number {
    const key = sequences.map((sequence) => sequence.join("-")).join("|");
    let state = this.#byKey.get(key);
    if (state === undefined) {
      state = this.#remainders.push(sequences) - 1;
      this.#byKey.set(key, state);
    }
    return state;
  }
}

const characterMachines = new Map<Encoding, Map<string, CharacterMachine>>([
  [utf8Encoding, new Map()],
  [jsonEncoding, new Map()],
]);
/** Sets of characters whose machines are kept for the next pattern. */
const keptSets = 1024;

/** The machine of a set of characters, shared by all patterns that have it. */
export function characterMachine(ranges: Ranges, encoding: Encoding): CharacterMachine {
  const known = characterMachines.get(encoding);
  const key = ranges.join(";");
  let machine = known?.get(key);
  if (machine === undefined) {
    machine = new CharacterMachine(ranges, encoding);
    if (known !== undefined && known.size >= keptSets) known.clear();
    known?.set(key, machine);
  }
  return machine;
}
