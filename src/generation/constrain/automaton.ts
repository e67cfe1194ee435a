/**
 * The automaton that every constraint becomes: bytes in, and at every point which may follow.
 *
 * A text can be at several places of a grammar at once. A place is a state of one machine and what comes after the
 * machine, a stack shared by all places that have it; all places of a text together are one state. States, places and
 * stacks are unique by content and never change, so a state is a value: keep it, and you can go back to it.
 * The stacks are those of a nondeterministic pushdown automaton, made deterministic as it is used.
 */
import { holdLimit } from "./limits.js";
import type { Machine } from "./regular/machine.js";
import { MachineTerm, shortestOfAll, shortestText, type Term } from "./term.js";

/** What is still to come: a term, then the rest. The bottom has nothing. */
class Stack {
  #above: Map<Term, Stack> | undefined;
  #places: Map<Machine, Map<number, Place>> | undefined;
  #opened: Opened | undefined;

  constructor(
    readonly term: Term | undefined,
    readonly below: Stack | undefined,
    readonly counter: { next: number },
  ) {}

  push(term: Term): Stack {
    this.#above ??= new Map();
    let stack = this.#above.get(term);
    if (stack === undefined) {
      stack = new Stack(term, this, this.counter);
      this.#above.set(term, stack);
    }
    return stack;
  }

  /** Terms in a row on top, the first uppermost. */
  pushAll(terms: readonly Term[]): Stack {
    return terms.reduceRight<Stack>((stack, term) => stack.push(term), this);
  }

  /** The place in a machine with this stack behind it. */
  place(machine: Machine, state: number): Place {
    this.#places ??= new Map();
    let ofMachine = this.#places.get(machine);
    if (ofMachine === undefined) {
      ofMachine = new Map();
      this.#places.set(machine, ofMachine);
    }
    let place = ofMachine.get(state);
    if (place === undefined) {
      place = { id: this.counter.next++, machine, state, after: this };
      ofMachine.set(state, place);
    }
    return place;
  }

  /** The places where a text is that has just come to this stack. */
  open(): Opened {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  #open(): Opened {
    const places = new Set<Place>();
    let ends = false;
    const seen = new Set<Stack>([this]);
    for (const stack of seen) {
      holdLimit("places", seen.size);
      const { term, below } = stack;
      if (term === undefined || below === undefined) {
        ends = true;
        continue;
      }
      if (!(term instanceof MachineTerm)) {
        for (const option of term.expand()) seen.add(below.pushAll(option));
        continue;
      }
      const { machine } = term;
      places.add(below.place(machine, machine.start));
      if (machine.accepts(machine.start)) seen.add(below);
    }
    return { places: [...places], ends };
  }
}

interface Opened {
  readonly places: readonly Place[];
  /** Whether the whole text may end here. */
  readonly ends: boolean;
}

interface Place {
  readonly id: number;
  readonly machine: Machine;
  readonly state: number;
  readonly after: Stack;
}

/** Where a text stands in a grammar. Immutable; the same text leads to the same object while it is remembered. */
export class GrammarState {
  readonly #next: (GrammarState | null | undefined)[] = [];
  #goesOn: boolean | undefined;

  /** Made by an automaton. */
  constructor(
    readonly places: readonly Place[],
    /** Whether the text may end here. */
    readonly mayEnd: boolean,
    private readonly automaton: Automaton,
  ) {}

  /** The state after one more byte; null where no text goes on like this. */
  step(byte: number): GrammarState | null {
    const known = this.#next[byte];
    if (known !== undefined) return known;
    const next = this.automaton.advance(this, byte);
    // All of them at once: an array that grows hole by hole would be slow to read.
    if (this.#next.length === 0) for (let i = 0; i < 256; i++) this.#next.push(undefined);
    this.#next[byte] = next;
    return next;
  }

  /** Whether anything may follow. */
  get goesOn(): boolean {
    if (this.#goesOn === undefined) {
      this.#goesOn = false;
      for (let byte = 0; byte < 256 && !this.#goesOn; byte++) this.#goesOn = this.step(byte) !== null;
    }
    return this.#goesOn;
  }
}

/** States that are remembered before all are forgotten; those in use stay as they are. */
const rememberedStates = 50_000;

export class Automaton {
  /** Where the empty text stands. */
  readonly start: GrammarState;
  #states = new Map<string, GrammarState>();

  /** @param root - a term that admits some text, with every rule settled */
  constructor(readonly root: Term) {
    const { places, ends } = new Stack(undefined, undefined, { next: 0 }).push(root).open();
    this.start = this.#state(places, ends);
  }

  /** Called by the states, which remember what it returns. */
  advance(state: GrammarState, byte: number): GrammarState | null {
    const places = new Set<Place>();
    let ends = false;
    for (const { machine, state: from, after } of state.places) {
      const next = machine.step(from, byte);
      if (next < 0) continue;
      places.add(after.place(machine, next));
      if (!machine.accepts(next)) continue;
      const opened = after.open();
      for (const place of opened.places) places.add(place);
      ends ||= opened.ends;
    }
    return places.size === 0 ? null : this.#state([...places], ends);
  }

  /** The state after bytes; null where they are not the beginning of any text. */
  run(bytes: Iterable<number>, from: GrammarState = this.start): GrammarState | null {
    let state: GrammarState | null = from;
    for (const byte of bytes) {
      state = state.step(byte);
      if (state === null) return null;
    }
    return state;
  }

  /** One of the shortest ways to the end of a text. */
  completion(state: GrammarState): Uint8Array {
    if (state.mayEnd) return new Uint8Array();
    let best: readonly number[] | undefined;
    for (const { machine, state: from, after } of state.places) {
      const head = shortestText(machine, from);
      if (head === undefined) continue;
      const bytes = [...head];
      for (let stack: Stack | undefined = after; stack?.term !== undefined; stack = stack.below) {
        spell(stack.term, bytes);
      }
      if (best === undefined || bytes.length < best.length) best = bytes;
    }
    return Uint8Array.from(best ?? []);
  }

  #state(places: readonly Place[], mayEnd: boolean): GrammarState {
    holdLimit("places", places.length);
    const sorted = [...places].sort((a, b) => a.id - b.id);
    const key = `${mayEnd ? "+" : ""}${sorted.map(({ id }) => id).join(",")}`;
    let state = this.#states.get(key);
    if (state === undefined) {
      if (this.#states.size >= rememberedStates) this.#states.clear();
      state = new GrammarState(sorted, mayEnd, this);
      this.#states.set(key, state);
    }
    return state;
  }
}

/** Adds a shortest text of a term. */
function spell(term: Term, out: number[]): void {
  if (term instanceof MachineTerm) {
    out.push(...(shortestText(term.machine, term.machine.start) ?? []));
    return;
  }
  let best: readonly Term[] | undefined;
  for (const option of term.expand()) {
    if (best === undefined || shortestOfAll(option) < shortestOfAll(best)) best = option;
  }
  for (const part of best ?? []) spell(part, out);
}
