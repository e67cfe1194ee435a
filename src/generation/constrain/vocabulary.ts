/**
 * The vocabulary as a tree of bytes: tokens that begin alike share the way that is walked to see what a constraint
 * allows.
 */
import type { Tokenizer } from "../../tokenizers/tokenizer.js";

/** The bytes of tokens, in one place each; a token without bytes, or one that ends or controls a text, has none. */
export class TokenTrie {
  /** Nodes, each before the nodes below it. The first is the root, whose byte means nothing. */
  readonly bytes: Uint8Array;
  readonly depths: Uint16Array;
  /** Index after the last node below each. */
  readonly ends: Int32Array;
  /** Index of the first of a node's tokens; those of the nodes below it follow. One more entry than nodes. */
  readonly firstTokens: Int32Array;
  /** Token ids in that order. */
  readonly tokens: Int32Array;
  /** Depth of the deepest node below each, counted from it. */
  readonly heights: Uint16Array;
  /** For each node, the set of all bytes below it: bit `byte & 31` of word `8 · node + (byte >> 5)`. */
  readonly bytesBelow: Uint32Array;
  readonly maxDepth: number;

  /** @param entries - ids with their bytes, of which there is at least one each */
  constructor(entries: readonly (readonly [id: number, bytes: Uint8Array])[]) {
    const sorted = [...entries].sort(([, a], [, b]) => compareBytes(a, b));
    const shape = { bytes: [0], depths: [0], firstTokens: [0], ends: [0] };
    const open: number[] = [0];
    let last: Uint8Array = new Uint8Array();
    for (const [index, [, bytes]] of sorted.entries()) {
      const shared = sharedPrefix(last, bytes);
      for (const node of open.splice(shared + 1)) shape.ends[node] = shape.bytes.length;
      for (let depth = shared; depth < bytes.length; depth++) {
        open.push(shape.bytes.length);
        shape.bytes.push(bytes[depth]);
        shape.depths.push(depth + 1);
        shape.firstTokens.push(index);
      }
      last = bytes;
    }
    for (const node of open) shape.ends[node] = shape.bytes.length;
    this.bytes = Uint8Array.from(shape.bytes);
    this.depths = Uint16Array.from(shape.depths);
    this.ends = Int32Array.from(shape.ends);
    this.firstTokens = Int32Array.from([...shape.firstTokens, sorted.length]);
    this.tokens = Int32Array.from(sorted, ([id]) => id);
    this.heights = new Uint16Array(this.bytes.length);
    this.bytesBelow = new Uint32Array(8 * this.bytes.length);
    this.#sumUp();
    this.maxDepth = this.heights[0];
  }

  /** Heights and bytes below, from the last node up. */
  #sumUp(): void {
    const { bytes, depths, heights, bytesBelow } = this;
    const parents = new Int32Array(bytes.length);
    const path: number[] = [0];
    for (let node = 1; node < bytes.length; node++) {
      parents[node] = path[depths[node] - 1];
      path[depths[node]] = node;
    }
    for (let node = bytes.length - 1; node > 0; node--) {
      const parent = parents[node];
      heights[parent] = Math.max(heights[parent], heights[node] + 1);
      bytesBelow[8 * parent + (bytes[node] >> 5)] |= 1 << (bytes[node] & 31);
      for (let word = 0; word < 8; word++) bytesBelow[8 * parent + word] |= bytesBelow[8 * node + word];
    }
  }
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = sharedPrefix(a, b);
  return (a[shared] ?? -1) - (b[shared] ?? -1);
}

function sharedPrefix(a: Uint8Array, b: Uint8Array): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

/** What constraints need to know of a tokenizer, worked out once. */
export class ConstraintVocabulary {
  readonly endIds: ReadonlySet<number>;
  /** Bytes of each token; undefined for those that no constraint allows inside a text. */
  readonly bytes: readonly (Uint8Array | undefined)[];
  /** The same for the first token of a text, which some tokenizers write without its space. */
  readonly firstBytes: readonly (Uint8Array | undefined)[];
  readonly trie: TokenTrie;
  readonly firstTrie: TokenTrie;

  /**
   * @param vocabSize - of the model: the length of its logits
   * @param endIds - tokens that end a completion: allowed where the constraint may end, and nowhere else
   */
  constructor(
    readonly tokenizer: Tokenizer,
    readonly vocabSize: number,
    endIds: readonly number[],
  ) {
    this.endIds = new Set(endIds.filter((id) => id < vocabSize));
    this.bytes = this.#bytes(false);
    const first = this.#bytes(true);
    const same = first.every((bytes, id) => bytes?.join() === this.bytes[id]?.join());
    this.firstBytes = same ? this.bytes : first;
    this.trie = trieOf(this.bytes);
    this.firstTrie = same ? this.trie : trieOf(this.firstBytes);
  }

  #bytes(atStart: boolean): (Uint8Array | undefined)[] {
    const size = Math.min(this.vocabSize, this.tokenizer.vocabSize);
    return Array.from({ length: size }, (_, id) => {
      const bytes = this.endIds.has(id) ? undefined : this.tokenizer.tokenBytes(id, { atStart });
      return bytes?.length === 0 ? undefined : bytes;
    });
  }
}

function trieOf(all: readonly (Uint8Array | undefined)[]): TokenTrie {
  const entries: [number, Uint8Array][] = [];
  for (const [id, bytes] of all.entries()) if (bytes !== undefined) entries.push([id, bytes]);
  return new TokenTrie(entries);
}
