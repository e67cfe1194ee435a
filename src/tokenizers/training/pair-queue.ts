/**
 * The most frequent pair, while counts change: a binary heap whose entries are brought up to date when they come up.
 *
 * Whoever raises a count pushes the pair again. Counts that fall are noticed when the pair comes up.
 */

/** What the queue needs to know of the pairs, which it names by index. */
export interface PairOrder {
  count(pair: number): number;
  /** Whether `pair` goes before `other` when both are equally frequent. Never true both ways. */
  beforeOnTie(pair: number, other: number): boolean;
}

/** Pairs by falling count. */
export class PairQueue {
  private readonly pairs: number[] = [];
  private readonly counts: number[] = [];

  constructor(private readonly order: PairOrder) {}

  push(pair: number): void {
    const count = this.order.count(pair);
    let at = this.pairs.length;
    this.pairs.push(pair);
    this.counts.push(count);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.before(pair, count, parent)) break;
      this.put(at, this.pairs[parent], this.counts[parent]);
      at = parent;
    }
    this.put(at, pair, count);
  }

  /** Takes the pair that is now the most frequent; -1 when none is left. */
  pop(): number {
    while (this.pairs.length > 0) {
      const pair = this.pairs[0];
      const asPushed = this.counts[0];
      this.removeFirst();
      const count = this.order.count(pair);
      if (count === asPushed) return pair;
      if (count > 0) this.push(pair);
    }
    return -1;
  }

  private removeFirst(): void {
    const pair = this.pairs.pop()!;
    const count = this.counts.pop()!;
    const length = this.pairs.length;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      const sibling = child + 1;
      if (sibling < length && this.before(this.pairs[sibling], this.counts[sibling], child)) child = sibling;
      if (this.before(pair, count, child)) break;
      this.put(at, this.pairs[child], this.counts[child]);
      at = child;
    }
    this.put(at, pair, count);
  }

  private before(pair: number, count: number, slot: number): boolean {
    return count > this.counts[slot] || (count === this.counts[slot] && this.order.beforeOnTie(pair, this.pairs[slot]));
  }

  private put(at: number, pair: number, count: number): void {
    this.pairs[at] = pair;
    this.counts[at] = count;
  }
}
