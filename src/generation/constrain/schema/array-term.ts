/** JSON arrays: what comes after some of the elements. */
import { LazyTerm, type Term } from "../term.js";
import type { Punctuation } from "./punctuation.js";

export interface ArrayShape {
  readonly punctuation: Punctuation;
  /** Values of the first elements, by index. */
  readonly first: readonly Term[];
  /** Values of all others. */
  readonly rest: Term;
  readonly min: number;
  readonly max: number;
}

/** A whole array. */
export function arrayOptions(shape: ArrayShape): readonly (readonly Term[])[] {
  const { punctuation, min, max } = shape;
  const options: Term[][] = min === 0 ? [[punctuation.emptyArray]] : [];
  if (max > 0) options.push([punctuation.openArray, valueAt(shape, 0), new ArrayTail(shape, 1, new Map())]);
  return options;
}

function valueAt({ first, rest }: ArrayShape, index: number): Term {
  return first[index] ?? rest;
}

/** The array after `count` elements: its end, or a comma and more. */
class ArrayTail extends LazyTerm {
  constructor(
    readonly shape: ArrayShape,
    readonly count: number,
    readonly tails: Map<number, ArrayTail>,
  ) {
    super();
    tails.set(count, this);
  }

  protected alternatives(): readonly (readonly Term[])[] {
    const { shape, count } = this;
    const options: Term[][] = count >= shape.min ? [[shape.punctuation.closeArray]] : [];
    const next = valueAt(shape, count);
    if (count < shape.max && next.shortest() < Number.POSITIVE_INFINITY) {
      const after = this.#tail(count + 1);
      if (after.shortest() < Number.POSITIVE_INFINITY) options.push([shape.punctuation.comma, next, after]);
    }
    return options;
  }

  #tail(count: number): ArrayTail {
    const { shape, tails } = this;
    // From here on nothing depends on the number of elements any more.
    const settled = Math.max(shape.first.length, shape.min);
    const at = shape.max === Number.POSITIVE_INFINITY ? Math.min(count, settled) : count;
    return tails.get(at) ?? new ArrayTail(shape, at, tails);
  }

  shortest(): number {
    const { shape, count } = this;
    let length = 1;
    for (let i = count; i < Math.min(shape.min, shape.first.length); i++) length += 1 + valueAt(shape, i).shortest();
    const others = shape.min - Math.max(count, shape.first.length);
    return others > 0 ? length + others * (1 + shape.rest.shortest()) : length;
  }
}
