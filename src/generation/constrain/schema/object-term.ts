/**
 * JSON objects: members in any order, none of the named ones twice, and what comes after some of them.
 *
 * A state remembers which named members have come, and how many others. Which others these were it remembers only
 * while `minProperties` depends on their being different.
 */
import type { Machine } from "../regular/machine.js";
import { LazyTerm, MachineTerm, shortestText, type Term } from "../term.js";
import { type Punctuation, quoted } from "./punctuation.js";

export interface NamedMember {
  readonly key: MachineTerm;
  readonly value: Term;
  readonly required: boolean;
}

/** Members by the language of their keys. */
export interface OtherMembers {
  /** Keys without quotes. */
  readonly keys: Machine;
  readonly value: Term;
}

export interface ObjectShape {
  readonly punctuation: Punctuation;
  readonly named: readonly NamedMember[];
  readonly others: readonly OtherMembers[];
  readonly min: number;
  readonly max: number;
}

/** A whole object. */
export function objectOptions(shape: ObjectShape): readonly (readonly Term[])[] {
  const { punctuation, named, min } = shape;
  const options: Term[][] = min === 0 && named.every(({ required }) => !required) ? [[punctuation.emptyObject]] : [];
  options.push([punctuation.openObject, new Members(new Tails(shape), nothing)]);
  return options;
}

/** What has come. */
interface Progress {
  /** Bit `i`: the named member `i`. */
  readonly seen: bigint;
  readonly seenCount: number;
  /** Other members, as far as their number matters. */
  readonly others: number;
  /** Their keys, in order, as far as they matter. */
  readonly keys: readonly string[];
}

const nothing: Progress = { seen: 0n, seenCount: 0, others: 0, keys: [] };

/** The tails of one shape, each made once. */
class Tails {
  readonly #tails = new Map<string, Term>();
  readonly otherKeys: readonly MachineTerm[];
  #requiredCount: number;

  constructor(readonly shape: ObjectShape) {
    this.otherKeys = shape.others.map(({ keys }) => quoted(keys));
    this.#requiredCount = shape.named.filter(({ required }) => required).length;
  }

  /** The object after some members. */
  tail(progress: Progress): Term {
    const key = `${progress.seen},${progress.others},${JSON.stringify(progress.keys)}`;
    let tail = this.#tails.get(key);
    if (tail === undefined) {
      tail = new MembersTail(this, progress);
      this.#tails.set(key, tail);
    }
    return tail;
  }

  /** The ways to add one more member. */
  members(progress: Progress): Term[][] {
    const { shape } = this;
    const missing = this.missing(progress);
    const room = shape.max - progress.seenCount - progress.others;
    const options: Term[][] = [];
    for (const [i, { key, value, required }] of shape.named.entries()) {
      const has = (progress.seen >> BigInt(i)) & 1n;
      if (has === 1n || value.shortest() === Number.POSITIVE_INFINITY) continue;
      if (room - 1 < missing - (required ? 1 : 0)) continue;
      options.push([key, shape.punctuation.colon, value, this.tail(withNamed(progress, i))]);
    }
    if (room - 1 >= missing) options.push(...this.#otherMembers(progress));
    return options;
  }

  #otherMembers(progress: Progress): Term[][] {
    const { shape } = this;
    const count = progress.seenCount + progress.others;
    const recorded = count < shape.min && (progress.keys.length > 0 || count + 1 < shape.min);
    const matters = count < shape.min || shape.max < Number.POSITIVE_INFINITY;
    const others = progress.others + (matters ? 1 : 0);
    return shape.others.flatMap(({ keys, value }, i) => {
      if (value.shortest() === Number.POSITIVE_INFINITY) return [];
      if (recorded) return [[quote, new RecordedKey(this, progress, keys, keys.start, value, [])]];
      const after = this.tail({ ...progress, others, keys: [] });
      return [[this.otherKeys[i], shape.punctuation.colon, value, after]];
    });
  }

  missing({ seen }: Progress): number {
    let count = this.#requiredCount;
    for (const [i, { required }] of this.shape.named.entries()) {
      if (required && ((seen >> BigInt(i)) & 1n) === 1n) count--;
    }
    return count;
  }

  /** Length of the shortest way to have all members that are still needed, each with a comma. */
  shortestMembers(progress: Progress): number {
    const { named, others, min, max } = this.shape;
    const missing = this.missing(progress);
    const total = progress.seenCount + progress.others;
    if (total + missing > max) return Number.POSITIVE_INFINITY;
    let length = 0;
    const spare: number[] = [];
    for (const [i, { key, value, required }] of named.entries()) {
      if (((progress.seen >> BigInt(i)) & 1n) === 1n) continue;
      const size = key.shortest() + 2 + value.shortest();
      if (required) length += size;
      else spare.push(size);
    }
    const more = min - total - missing;
    if (more <= 0) return length;
    const other = Math.min(
      Number.POSITIVE_INFINITY,
      ...others.map(({ value }, i) => this.otherKeys[i].shortest() + 3 + value.shortest()),
    );
    // Named members first, where they are shorter; then others, whose keys grow as there are more of them.
    for (const size of spare.sort((a, b) => a - b).slice(0, more)) length += Math.min(size, other);
    return spare.length >= more ? length : length + (more - spare.length) * other;
  }
}

function withNamed(progress: Progress, index: number): Progress {
  return { ...progress, seen: progress.seen | (1n << BigInt(index)), seenCount: progress.seenCount + 1 };
}

/** The members of an object that has at least one, and its end. */
class Members extends LazyTerm {
  constructor(
    readonly tails: Tails,
    readonly progress: Progress,
  ) {
    super();
  }

  protected alternatives(): readonly (readonly Term[])[] {
    return this.tails.members(this.progress);
  }

  shortest(): number {
    const { named, others } = this.tails.shape;
    const needed = this.tails.shortestMembers(this.progress);
    if (needed > 0) return needed + 1;
    const values = [...named, ...others].map(({ value }) => value.shortest());
    return this.tails.shape.max === 0 ? Number.POSITIVE_INFINITY : Math.min(Number.POSITIVE_INFINITY, ...values) + 4;
  }
}

/** The object after a member: its end, or a comma and more. */
class MembersTail extends LazyTerm {
  constructor(
    readonly tails: Tails,
    readonly progress: Progress,
  ) {
    super();
  }

  protected alternatives(): readonly (readonly Term[])[] {
    const { tails, progress } = this;
    const { punctuation, min } = tails.shape;
    const may = tails.missing(progress) === 0 && progress.seenCount + progress.others >= min;
    const more = tails.members(progress).map((member) => [punctuation.comma, ...member]);
    return may ? [[punctuation.closeObject], ...more] : more;
  }

  shortest(): number {
    return this.tails.shortestMembers(this.progress) + 1;
  }
}

/** The key of a member other than the named ones that must differ from those before it, from some byte on. */
class RecordedKey extends LazyTerm {
  constructor(
    readonly tails: Tails,
    readonly progress: Progress,
    readonly keys: Machine,
    readonly state: number,
    readonly value: Term,
    readonly bytes: readonly number[],
  ) {
    super();
  }

  protected alternatives(): readonly (readonly Term[])[] {
    const { tails, progress, keys, state, value, bytes } = this;
    const options: Term[][] = [];
    if (keys.accepts(state)) {
      const text = JSON.parse(`"${new TextDecoder().decode(Uint8Array.from(bytes))}"`) as string;
      const after = { ...progress, others: progress.others + 1, keys: [...progress.keys, text].sort() };
      const isNew = !progress.keys.includes(text);
      if (isNew) options.push([quote, tails.shape.punctuation.colon, value, tails.tail(after)]);
    }
    for (let byte = 0; byte < 256; byte++) {
      const next = keys.step(state, byte);
      if (next >= 0)
        options.push([byteTerm(byte), new RecordedKey(tails, progress, keys, next, value, [...bytes, byte])]);
    }
    return options;
  }

  shortest(): number {
    const rest = shortestText(this.keys, this.state)?.length ?? Number.POSITIVE_INFINITY;
    const { progress } = this;
    return (
      rest + 2 + this.value.shortest() + this.tails.shortestMembers({ ...progress, others: progress.others + 1 }) + 1
    );
  }
}

/** One byte. */
class ByteMachine implements Machine {
  readonly start = 0;

  constructor(readonly byte: number) {}

  step(state: number, byte: number): number {
    return state === 0 && byte === this.byte ? 1 : -1;
  }

  accepts(state: number): boolean {
    return state === 1;
  }
}

const byteTerms: MachineTerm[] = [];

function byteTerm(byte: number): MachineTerm {
  byteTerms[byte] ??= new MachineTerm(new ByteMachine(byte));
  return byteTerms[byte];
}

const quote = byteTerm(0x22);
