/** A number that stands for a text: by it texts are divided into training and held out, wherever they occur. */

const [firstPrime, secondPrime] = [0x01000193, 0x85ebca6b];

/**
 * 53 bits from the letters of a text: case, surrounding white space and how much of it there is do not count. Not for
 * security: it spreads, and equal texts give equal numbers.
 */
export function textHash(text: string): number {
  const letters = text.normalize("NFC").toLowerCase().trim().replace(/\s+/gu, " ");
  let [first, second] = [0x811c9dc5, 0x9747b28c];
  for (let i = 0; i < letters.length; i++) {
    const unit = letters.charCodeAt(i);
    first = Math.imul(first ^ unit, firstPrime);
    second = Math.imul((second << 13) | (second >>> 19), 5) ^ Math.imul(unit, secondPrime);
  }
  return (spread(first ^ letters.length) >>> 11) * 2 ** 32 + spread(second ^ first);
}

/** `textHash` of a text, as a number in [0, 1). */
export function asFraction(hash: number): number {
  return hash / 2 ** 53;
}

/** Every bit of the result depends on every bit of `value` (the finalizer of MurmurHash3). */
function spread(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
