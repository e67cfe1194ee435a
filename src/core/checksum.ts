/** Numbers that tell whether bytes are the same bytes. Against accidents, not against people. */

/** CRC-32 of each byte (polynomial 0xEDB88320). */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32, as in ZIP and PNG. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!;
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
