/**
 * The most frequent pair, while counts change: a binary heap whose entries are brought up to date when they come up.
 *
 * Whoever raises a count pushes the pair again. Counts that fall are noticed when the pair comes up.
 */
/** Pairs by falling count. */
export class PairQueue {
    order;
    pairs = [];
    counts = [];
    constructor(order) {
        this.order = order;
    }
    push(pair) {
        const count = this.order.count(pair);
        let at = this.pairs.length;
        this.pairs.push(pair);
        this.counts.push(count);
        while (at > 0) {
            const parent = (at - 1) >> 1;
            if (!this.before(pair, count, parent))
                break;
            this.put(at, this.pairs[parent], this.counts[parent]);
            at = parent;
        }
        this.put(at, pair, count);
    }
    /** Takes the pair that is now the most frequent; -1 when none is left. */
    pop() {
        while (this.pairs.length > 0) {
            const pair = this.pairs[0];
            const asPushed = this.counts[0];
            this.removeFirst();
            const count = this.order.count(pair);
            if (count === asPushed)
                return pair;
            if (count > 0)
                this.push(pair);
        }
        return -1;
    }
    removeFirst() {
        const pair = this.pairs.pop();
        const count = this.counts.pop();
        const length = this.pairs.length;
        if (length === 0)
            return;
        let at = 0;
        for (;;) {
            let child = 2 * at + 1;
            if (child >= length)
                break;
            const sibling = child + 1;
            if (sibling < length && this.before(this.pairs[sibling], this.counts[sibling], child))
                child = sibling;
            if (this.before(pair, count, child))
                break;
            this.put(at, this.pairs[child], this.counts[child]);
            at = child;
        }
        this.put(at, pair, count);
    }
    before(pair, count, slot) {
        return count > this.counts[slot] || (count === this.counts[slot] && this.order.beforeOnTie(pair, this.pairs[slot]));
    }
    put(at, pair, count) {
        this.pairs[at] = pair;
        this.counts[at] = count;
    }
}
