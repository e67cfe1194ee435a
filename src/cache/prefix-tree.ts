/**
 * Blocks of what was run before, found again by the tokens that they hold: what several sequences begin with is run
 * once, and taken over to the bit by whoever begins alike.
 *
 * A node is a full block: its parent, and the token ids in it. The ids themselves are compared, not a hash of them.
 * Nodes that were used last stay longest; a node goes before its parent, and one whose block a sequence still uses is
 * passed over where memory is wanted. Trees of different salts know nothing of each other. After Zheng et al., 2024
 * (arXiv:2312.07104), with the blocks of Kwon et al., 2023 (arXiv:2309.06180).
 */
import type { BlockPool } from "./block-pool.js";
import type { BlockTable } from "./block-table.js";

interface Node {
  /** Undefined for the root of a salt. */
  readonly parent: Node | undefined;
  /** The ids in the block; of a root the salt. */
  readonly key: string;
  readonly block: number;
  readonly children: Map<string, Node>;
}

/** What a prefix tree holds, and what it was good for. */
export interface PrefixReport {
  /** Blocks held, of at most `capacityBlocks`. */
  readonly blocks: number;
  readonly capacityBlocks: number;
  readonly bytes: number;
  /** Times that the tree was asked, and times that it had something. */
  readonly lookups: number;
  readonly hits: number;
  /** Tokens that did not have to be run. */
  readonly tokensSaved: number;
  /** Blocks given up for want of room. */
  readonly evictions: number;
}

export class PrefixTree {
  readonly #roots = new Map<string, Node>();
  /** All nodes but roots; what was used last stands last, every parent after its children. */
  readonly #nodes = new Set<Node>();
  #lookups = 0;
  #hits = 0;
  #tokensSaved = 0;
  #evictions = 0;

  /**
   * Becomes what the pool falls back on when it has no free block.
   * @param capacity - blocks to hold at most
   * @param blockBytes - for the report
   */
  constructor(
    readonly pool: BlockPool,
    readonly capacity: number,
    readonly blockBytes: number,
  ) {
    pool.evict = () => this.#evictIdle();
  }

  get report(): PrefixReport {
    return {
      blocks: this.#nodes.size,
      capacityBlocks: this.capacity,
      bytes: this.#nodes.size * this.blockBytes,
      lookups: this.#lookups,
      hits: this.#hits,
      tokensSaved: this.#tokensSaved,
      evictions: this.#evictions,
    };
  }

  /**
   * Goes on with a sequence as far as the blocks held go; it must end where a block ends.
   * @param ids - the sequence's tokens: those that are in its cache, and those that are to come
   * @param limit - positions that the sequence may have afterwards
   * @returns positions that it has now
   */
  adopt(table: BlockTable, ids: ArrayLike<number>, limit: number, salt = ""): number {
    const { blockSize } = this.pool;
    const before = table.length;
    this.#lookups++;
    let node = this.#roots.get(salt);
    for (let end = blockSize; node !== undefined && end <= limit; end += blockSize) {
      const child = node.children.get(keyOf(ids, end - blockSize, end));
      if (child === undefined) break;
      if (end > before) table.adoptBlock(child.block);
      node = child;
    }
    if (node !== undefined) this.#used(node);
    if (table.length > before) this.#hits++;
    this.#tokensSaved += table.length - before;
    return table.length;
  }

  /** Keeps a sequence's full blocks for others that begin alike. */
  remember(table: BlockTable, ids: ArrayLike<number>, salt = ""): void {
    const { blockSize } = this.pool;
    const count = Math.min(
      Math.floor(Math.min(table.length, table.exactLength, ids.length) / blockSize),
      this.capacity,
    );
    if (count === 0) return;
    let node = this.#roots.get(salt) ?? this.#root(salt);
    for (let i = 0; i < count; i++) {
      const key = keyOf(ids, i * blockSize, (i + 1) * blockSize);
      node = node.children.get(key) ?? this.#add(node, key, table.blocks[i]!);
    }
    this.#used(node);
    while (this.#nodes.size > this.capacity) this.#remove(this.#nodes.values().next().value!);
  }

  /** Gives up all that is held. */
  clear(): void {
    while (this.#nodes.size > 0) this.#remove(this.#nodes.values().next().value!);
  }

  #root(salt: string): Node {
    const root: Node = { parent: undefined, key: salt, block: -1, children: new Map() };
    this.#roots.set(salt, root);
    return root;
  }

  #add(parent: Node, key: string, block: number): Node {
    const node: Node = { parent, key, block, children: new Map() };
    parent.children.set(key, node);
    this.#nodes.add(node);
    this.pool.keep(block);
    return node;
  }

  /** Moves a node and those above it to the end, so that each stands after its children. */
  #used(node: Node): void {
    for (let each: Node | undefined = node; each?.parent !== undefined; each = each.parent) {
      this.#nodes.delete(each);
      this.#nodes.add(each);
    }
  }

  /** Frees the block that has not been used for longest, of those that no sequence uses. */
  #evictIdle(): boolean {
    for (const node of this.#nodes) {
      if (node.children.size > 0 || this.pool.isShared(node.block)) continue;
      this.#remove(node);
      this.#evictions++;
      return true;
    }
    return false;
  }

  #remove(node: Node): void {
    const { parent, key, block } = node;
    this.#nodes.delete(node);
    parent!.children.delete(key);
    if (parent!.parent === undefined && parent!.children.size === 0) this.#roots.delete(parent!.key);
    this.pool.letGo(block);
  }
}

function keyOf(ids: ArrayLike<number>, from: number, end: number): string {
  let key = "";
  for (let i = from; i < end; i++) key += `${ids[i]},`;
  return key;
}
