/**
 * Regular expressions as deterministic automata: Thompson's construction over characters (Thompson, 1968), then the
 * sets of places that a text can be at, made as they are reached.
 */
import { holdLimit } from "../limits.js";
import type { Encoding } from "./encoding.js";
import { type CharacterMachine, characterMachine, TableMachine } from "./machine.js";
import type { RegexNode } from "./syntax.js";

/** A place in the expression, between two characters. */
interface Place {
  /** Places that this one is as good as. */
  readonly jumps: number[];
  /** The same, where the text begins. */
  readonly startJumps: number[];
  /** The same, where the text ends. */
  readonly endJumps: number[];
  /** Places behind one character. */
  readonly edges: { readonly character: CharacterMachine; readonly to: number }[];
}

/** What can be reached without reading anything: where characters begin, and whether the text may end. */
interface Closure {
  readonly items: readonly number[];
  readonly accepts: boolean;
}

/** The middle of a character: one of the character machine's states, and the place behind the character. */
interface Item {
  readonly character: CharacterMachine;
  readonly state: number;
  readonly to: number;
}

export class RegexMachine extends TableMachine {
  readonly start: number;
  /** Whether no text at all matches. */
  readonly isEmpty: boolean;
  readonly #places: Place[] = [];
  readonly #live: Uint8Array;
  readonly #closures = new Map<number, Closure>();
  readonly #items: Item[] = [];
  readonly #itemIds = new Map<CharacterMachine, Map<string, number>>();
  readonly #states: Closure[] = [];
  readonly #stateIds = new Map<string, number>();
  readonly #final: number;

  /** @throws ConstraintLimitError */
  constructor(
    node: RegexNode,
    readonly encoding: Encoding,
  ) {
    super();
    const first = this.#place();
    this.#final = this.#build(node, first);
    this.#live = this.#livePlaces();
    const closure = this.#close([first], true);
    this.isEmpty = closure.items.length === 0 && !closure.accepts;
    this.start = this.#state(closure.items, closure.accepts);
  }

  accepts(state: number): boolean {
    return this.#states[state].accepts;
  }

  protected next(state: number, byte: number): number {
    const items = new Set<number>();
    let accepts = false;
    for (const id of this.#states[state].items) {
      const { character, state: at, to } = this.#items[id];
      const next = character.step(at, byte);
      if (next < 0) continue;
      if (!character.accepts(next)) {
        items.add(this.#item(character, next, to));
        continue;
      }
      const closure = this.#closureOf(to);
      for (const item of closure.items) items.add(item);
      accepts ||= closure.accepts;
    }
    return items.size === 0 && !accepts ? -1 : this.#state([...items], accepts);
  }

  #state(items: readonly number[], accepts: boolean): number {
    const sorted = [...items].sort((a, b) => a - b);
    const key = `${accepts ? "+" : ""}${sorted.join(",")}`;
    let state = this.#stateIds.get(key);
    if (state === undefined) {
      state = this.#states.push({ items: sorted, accepts }) - 1;
      this.#stateIds.set(key, state);
    }
    return state;
  }

  #item(character: CharacterMachine, state: number, to: number): number {
    let ids = this.#itemIds.get(character);
    if (ids === undefined) {
      ids = new Map();
      this.#itemIds.set(character, ids);
    }
    const key = `${state},${to}`;
    let id = ids.get(key);
    if (id === undefined) {
      id = this.#items.push({ character, state, to }) - 1;
      ids.set(key, id);
    }
    return id;
  }

  #closureOf(place: number): Closure {
    let closure = this.#closures.get(place);
    if (closure === undefined) {
      closure = this.#close([place], false);
      this.#closures.set(place, closure);
    }
    return closure;
  }

  #close(from: readonly number[], atStart: boolean): Closure {
    const reached = this.#reach(from, (place) => (atStart ? [...place.jumps, ...place.startJumps] : place.jumps));
    const items = new Set<number>();
    for (const place of reached) {
      for (const { character, to } of this.#places[place].edges) {
        if (this.#live[to] === 1 && !character.isEmpty) items.add(this.#item(character, character.start, to));
      }
    }
    const ends = this.#reach(from, (place) => [
      ...place.jumps,
      ...place.endJumps,
      ...(atStart ? place.startJumps : []),
    ]);
    return { items: [...items], accepts: ends.has(this.#final) };
  }

  #reach(from: readonly number[], nexts: (place: Place) => readonly number[]): Set<number> {
    const reached = new Set(from);
    // A set that grows while it is gone through is gone through to its end.
    for (const place of reached) for (const next of nexts(this.#places[place])) reached.add(next);
    return reached;
  }

  /** Places from which the end can be reached, other than where the text begins. */
  #livePlaces(): Uint8Array {
    const live = new Uint8Array(this.#places.length);
    const before: number[][] = this.#places.map(() => []);
    for (const [from, place] of this.#places.entries()) {
      for (const to of place.jumps) before[to].push(from);
      for (const { character, to } of place.edges) if (!character.isEmpty) before[to].push(from);
    }
    const waiting: number[] = [];
    const mark = (place: number) => {
      if (live[place] === 0) waiting.push(place);
      live[place] = 1;
    };
    // Behind an end, nothing may be read: only what reaches the final place by jumps alone counts.
    const endBefore: number[][] = this.#places.map(() => []);
    for (const [from, { jumps, endJumps }] of this.#places.entries()) {
      for (const to of [...jumps, ...endJumps]) endBefore[to].push(from);
    }
    const ending = new Set([this.#final]);
    for (const place of ending) for (const from of endBefore[place]) ending.add(from);
    for (const place of ending) mark(place);
    while (waiting.length > 0) for (const from of before[waiting.pop()!]) mark(from);
    return live;
  }

  #place(): number {
    holdLimit("automatonStates", this.#places.length + 1);
    return this.#places.push({ jumps: [], startJumps: [], endJumps: [], edges: [] }) - 1;
  }

  /** Adds the places of `node` behind `from`; returns the one at its end. */
  #build(node: RegexNode, from: number): number {
    switch (node.kind) {
      case "set": {
        const to = this.#place();
        this.#places[from].edges.push({ character: characterMachine(node.ranges, this.encoding), to });
        return to;
      }
      case "sequence":
        return node.parts.reduce((at, part) => this.#build(part, at), from);
      case "choice": {
        const ends = node.options.map((option) => this.#build(option, this.#jump(from, this.#place())));
        const to = this.#place();
        for (const end of ends) this.#jump(end, to);
        return to;
      }
      case "repeat":
        return this.#repeat(node.body, node.min, node.max, from);
      case "start":
      case "end": {
        const to = this.#place();
        this.#places[from][node.kind === "start" ? "startJumps" : "endJumps"].push(to);
        return to;
      }
    }
  }

  #repeat(body: RegexNode, min: number, max: number, from: number): number {
    let at = from;
    for (let i = 0; i < min; i++) at = this.#build(body, at);
    if (max === Number.POSITIVE_INFINITY) {
      const loop = this.#jump(at, this.#place());
      this.#jump(this.#build(body, loop), loop);
      return this.#jump(loop, this.#place());
    }
    const to = this.#place();
    for (let i = min; i < max; i++) {
      this.#jump(at, to);
      at = this.#build(body, at);
    }
    return this.#jump(at, to);
  }

  #jump(from: number, to: number): number {
    this.#places[from].jumps.push(to);
    return to;
  }
}
