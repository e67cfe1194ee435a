/** Numbers that tell whether bytes are the same bytes. Against accidents, not against people. */

/** CRC-32 of each byte (polynomial 0xEDB88320), then of each followed by one, two and three zeros. */
const table = new Uint32Array(4 * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  table[byte] = crc;
}
for (let i = 256; i < table.length; i++) table[i] = (table[i - 256]! >>> 8) ^ table[table[i - 256]! & 0xff]!;

/** CRC-32, as in ZIP and PNG; four bytes at a time. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      table[768 + (crc & 0xff)]! ^
      table[512 + ((crc >>> 8) & 0xff)]! ^
      table[256 + ((crc >>> 16) & 0xff)]! ^
      table[crc >>> 24]!;
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}

/** 64 bits of what was added, in the order in which it was: two chains of FNV-1a, spread by MurmurHash3's finalizer. */
export class Digest {
  #first = 0x811c9dc5;
  #second = 0x9747b28c;

  add(bytes: Uint8Array): this {
    let [first, second] = [this.#first, this.#second];
    for (let i = 0; i < bytes.length; i++) {
      first = Math.imul(first ^ bytes[i]!, 0x01000193);
      second = Math.imul((second << 13) | (second >>> 19), 5) ^ Math.imul(bytes[i]! + 1, 0x85ebca6b);
    }
    [this.#first, this.#second] = [first ^ bytes.length, second];
    return this;
  }

  addText(text: string): this {
    return this.add(new TextEncoder().encode(text));
  }

  /** Sixteen hexadecimal digits. */
  get hex(): string {
    const part = (value: number) => (spread(value) >>> 0).toString(16).padStart(8, "0");
    return part(this.#first ^ (this.#second >>> 7)) + part(this.#second ^ Math.imul(this.#first, 3));
  }
}

function spread(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
