/**
 * A seeded mutator of files: what a stranger, a broken disk or an interrupted download may hand to a reader.
 *
 * The same seed always gives the same mutations, so that a failing input can be made again from its number.
 */

/** A small, fast generator of 32-bit numbers (mulberry32). Good enough to pick mutations, not for sampling. */
export class MutationRandom {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** An integer in [0, 2³²). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** An integer in [0, limit); 0 when `limit` is 0. */
  below(limit: number): number {
    return limit <= 0 ? 0 : Math.floor((this.next() / 0x1_0000_0000) * limit);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }
}

/** One way of damaging a file. It may edit `bytes` in place; it returns the damaged file. */
export type Mutation = (bytes: Uint8Array<ArrayBuffer>, random: MutationRandom) => Uint8Array<ArrayBuffer>;

const interestingBytes = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x20, 0x22, 0x2c, 0x2d, 0x30, 0x39, 0x5b, 0x5d, 0x7b, 0x7d];
const interestingIntegers = [
  0n,
  1n,
  2n,
  7n,
  8n,
  9n,
  31n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0xffffn,
  0x10000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  0x1fffffffffffffn,
  0x20000000000000n,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffffffffffffn,
];

/** Flips one bit. */
export const flipBit: Mutation = (bytes, random) => {
  if (bytes.length > 0) bytes[random.below(bytes.length)] ^= 1 << random.below(8);
  return bytes;
};

/** Sets one byte to a value that readers trip over. */
export const setByte: Mutation = (bytes, random) => {
  if (bytes.length > 0) bytes[random.below(bytes.length)] = random.pick(interestingBytes);
  return bytes;
};

/** Rewrites 1, 2, 4 or 8 bytes, little endian, with a boundary value or the old value ± a little. */
export const rewriteInteger: Mutation = (bytes, random) => {
  const width = random.pick([1, 2, 4, 4, 8, 8]);
  if (bytes.length < width) return bytes;
  const at = random.below(bytes.length - width + 1);
  let value = 0n;
  for (let i = width - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i]);
  value = random.below(3) === 0 ? value + BigInt(random.below(17) - 8) : random.pick(interestingIntegers);
  for (let i = 0; i < width; i++) bytes[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return bytes;
};

/** Cuts the file short, as an interrupted download does. */
export const truncate: Mutation = (bytes, random) => bytes.slice(0, random.below(bytes.length + 1));

/** Copies one stretch of the file over or into another place of it. */
export const splice: Mutation = (bytes, random) => {
  const length = random.below(Math.min(bytes.length, 64) + 1);
  const from = random.below(bytes.length - length + 1);
  const to = random.below(bytes.length - length + 1);
  const stretch = bytes.slice(from, from + length);
  if (random.below(2) === 0) {
    bytes.set(stretch, to);
    return bytes;
  }
  return concat([bytes.subarray(0, to), stretch, bytes.subarray(to)]);
};

/** Removes a stretch, so that everything after it moves. */
export const removeStretch: Mutation = (bytes, random) => {
  const length = random.below(Math.min(bytes.length, 32) + 1);
  const at = random.below(bytes.length - length + 1);
  return concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
};

/** Mutations that know nothing of the format. */
export const byteMutations: readonly Mutation[] = [
  flipBit,
  setByte,
  rewriteInteger,
  rewriteInteger,
  truncate,
  splice,
  removeStretch,
];

/**
 * Keeps another mutation inside the first `length` bytes: for formats whose header is small beside their data.
 */
export function withinHeader(length: number, mutation: Mutation): Mutation {
  return (bytes, random) => {
    const head = mutation(bytes.slice(0, Math.min(length, bytes.length)), random);
    return concat([head, bytes.subarray(Math.min(length, bytes.length))]);
  };
}

/** JSON values that a reader may not expect where another stood. */
const interestingValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  0.5,
  2 ** 31,
  2 ** 53 - 1,
  2 ** 53,
  1e308,
  "",
  "a",
  "__proto__",
  "F32",
  "\u0000",
  "\ud800",
  [],
  [0],
  [-1],
  [2 ** 32, 2 ** 32],
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  {},
  { toString: 1 },
];

const interestingKeys: readonly string[] = [
  "",
  "__proto__",
  "constructor",
  "toString",
  "length",
  "\u0000",
  "\ud800",
  "0",
];

/**
 * Damages a parsed JSON value: replaces, removes, duplicates or swaps something at a random depth.
 *
 * @param value - not modified.
 * @param extra - more values to put in, such as the names that the format knows.
 */
export function mutateJson(value: unknown, random: MutationRandom, extra: readonly unknown[] = []): unknown {
  if (value === null || typeof value !== "object" || random.below(12) === 0) return replacement(value, random, extra);
  if (Array.isArray(value)) return mutateArray(value, random, extra);
  const entries = Object.entries(value);
  if (entries.length === 0 || random.below(16) === 0) entries.push([random.pick(interestingKeys), 1]);
  const at = random.below(entries.length);
  const [key, old] = entries[at];
  switch (random.below(8)) {
    case 0:
      entries.splice(at, 1);
      break;
    case 1:
      entries[at] = [random.pick(["__proto__", "", key.slice(1), `${key}x`, entries[0][0]]), old];
      break;
    default:
      entries[at] = [key, mutateJson(old, random, extra)];
  }
  return Object.fromEntries(entries);
}

function mutateArray(value: readonly unknown[], random: MutationRandom, extra: readonly unknown[]): unknown[] {
  const copy = value.slice();
  const at = random.below(copy.length);
  switch (random.below(6)) {
    case 0:
      copy.splice(at, 1);
      break;
    case 1:
      copy.splice(at, 0, copy[random.below(copy.length)]);
      break;
    case 2:
      if (copy.length > 1) [copy[at], copy[0]] = [copy[0], copy[at]];
      break;
    default:
      copy[at] = mutateJson(copy[at], random, extra);
  }
  return copy;
}

function replacement(value: unknown, random: MutationRandom, extra: readonly unknown[]): unknown {
  if (typeof value === "number" && random.below(2) === 0) return value + random.pick([-8, -4, -1, 1, 4, 8, 2 ** 32]);
  return random.pick([...interestingValues, ...extra]);
}

/**
 * A damaged copy of `bytes`: one to four mutations drawn from `mutations`.
 *
 * @param bytes - not modified.
 */
export function mutate(
  bytes: Uint8Array,
  random: MutationRandom,
  mutations: readonly Mutation[] = byteMutations,
): Uint8Array<ArrayBuffer> {
  let mutated = new Uint8Array(bytes);
  for (let count = 1 + random.below(4); count > 0; count--) mutated = random.pick(mutations)(mutated, random);
  return mutated;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
