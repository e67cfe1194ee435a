/**
 * The merge loop that every kind of byte-pair encoding shares, on ids alone.
 *
 * Owns the pair → (rank, merged id) table and the loop "merge the adjacent pair of lowest rank, leftmost first,
 * until none is left" (Sennrich et al., 2016, arXiv:1508.07909). Merges files, SentencePiece scores and tiktoken
 * ranks all become ranks here.
 */
/** Pairs beyond this length are merged with a heap; below it, a scan is faster. */
const scanLimit = 48;
/** Adjacent-pair merges by rank: lower merges first. Open addressing in typed arrays. */
export class MergeTable {
    mask = 15;
    left = new Int32Array(16).fill(-1);
    right = new Int32Array(16);
    rank = new Int32Array(16);
    merged = new Int32Array(16);
    size = 0;
    /** @param expected - number of pairs to make room for. */
    constructor(expected = 0) {
        let capacity = 16;
        while (capacity < expected * 2)
            capacity *= 2;
        this.allocate(capacity);
    }
    /** Adds or replaces the merge of (`left`, `right`). Ids and ranks are non-negative integers below 2³¹. */
    set(left, right, rank, merged) {
        if ((this.size + 1) * 2 > this.left.length)
            this.rehash();
        const slot = this.slotOf(left, right);
        if (this.left[slot] === -1)
            this.size++;
        this.left[slot] = left;
        this.right[slot] = right;
        this.rank[slot] = rank;
        this.merged[slot] = merged;
    }
    /** Slot of the pair, or -1: to be read with `rankAt` and `mergedAt`. */
    find(left, right) {
        const slot = this.slotOf(left, right);
        return this.left[slot] === -1 ? -1 : slot;
    }
    rankAt(slot) {
        return this.rank[slot];
    }
    mergedAt(slot) {
        return this.merged[slot];
    }
    /**
     * Merges `symbols[0 … count)` in place.
     * @returns how many symbols are left.
     */
    apply(symbols, count) {
        if (count < 2)
            return count;
        return count <= scanLimit ? this.applyByScan(symbols, count) : this.applyByHeap(symbols, count);
    }
    applyByScan(symbols, length) {
        let count = length;
        const slots = scanSlots;
        for (let i = 0; i + 1 < count; i++)
            slots[i] = this.find(symbols[i], symbols[i + 1]);
        while (count > 1) {
            let best = -1;
            let bestRank = 0x7fffffff;
            for (let i = 0; i + 1 < count; i++) {
                if (slots[i] !== -1 && (this.rank[slots[i]] < bestRank || best === -1)) {
                    bestRank = this.rank[slots[i]];
                    best = i;
                }
            }
            if (best === -1)
                return count;
            symbols[best] = this.merged[slots[best]];
            symbols.copyWithin(best + 1, best + 2, count);
            slots.copyWithin(best + 1, best + 2, count);
            count--;
            if (best > 0)
                slots[best - 1] = this.find(symbols[best - 1], symbols[best]);
            if (best + 1 < count)
                slots[best] = this.find(symbols[best], symbols[best + 1]);
        }
        return count;
    }
    applyByHeap(symbols, count) {
        const next = new Int32Array(count);
        const previous = new Int32Array(count);
        for (let i = 0; i < count; i++) {
            next[i] = i + 1;
            previous[i] = i - 1;
        }
        const queue = new MergeQueue(count);
        const offer = (at) => {
            const slot = at >= 0 && next[at] < count ? this.find(symbols[at], symbols[next[at]]) : -1;
            if (slot !== -1)
                queue.push(this.rank[slot], at, slot);
        };
        for (let i = 0; i + 1 < count; i++)
            offer(i);
        while (queue.pop()) {
            const at = queue.position;
            const slot = queue.slot;
            // The pair may have changed since it was offered; it was offered anew then.
            if (symbols[at] !== this.left[slot] || next[at] >= count || symbols[next[at]] !== this.right[slot])
                continue;
            const gone = next[at];
            symbols[at] = this.merged[slot];
            symbols[gone] = -1;
            next[at] = next[gone];
            if (next[at] < count)
                previous[next[at]] = at;
            offer(previous[at]);
            offer(at);
        }
        let kept = 0;
        for (let i = 0; i < count; i = next[i])
            symbols[kept++] = symbols[i];
        return kept;
    }
    slotOf(left, right) {
        let slot = (Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)) >>> 0;
        slot = (slot ^ (slot >>> 15)) & this.mask;
        while (this.left[slot] !== -1 && (this.left[slot] !== left || this.right[slot] !== right)) {
            slot = (slot + 1) & this.mask;
        }
        return slot;
    }
    allocate(capacity) {
        this.mask = capacity - 1;
        this.left = new Int32Array(capacity).fill(-1);
        this.right = new Int32Array(capacity);
        this.rank = new Int32Array(capacity);
        this.merged = new Int32Array(capacity);
    }
    rehash() {
        const { left, right, rank, merged } = this;
        this.allocate(left.length * 2);
        this.size = 0;
        for (let i = 0; i < left.length; i++) {
            if (left[i] !== -1)
                this.set(left[i], right[i], rank[i], merged[i]);
        }
    }
}
const scanSlots = new Int32Array(scanLimit);
/** Binary heap of candidate merges, lowest rank first, then leftmost. */
class MergeQueue {
    ranks;
    positions;
    slots;
    size = 0;
    /** Of the candidate last popped. */
    position = 0;
    slot = 0;
    constructor(capacity) {
        // Every merge removes a symbol and offers at most two pairs.
        this.ranks = new Int32Array(3 * capacity);
        this.positions = new Int32Array(3 * capacity);
        this.slots = new Int32Array(3 * capacity);
    }
    push(rank, position, slot) {
        let at = this.size++;
        while (at > 0) {
            const parent = (at - 1) >> 1;
            if (!this.before(rank, position, parent))
                break;
            this.move(parent, at);
            at = parent;
        }
        this.put(at, rank, position, slot);
    }
    /** Takes the first candidate into `position` and `slot`; false when there is none. */
    pop() {
        if (this.size === 0)
            return false;
        this.position = this.positions[0];
        this.slot = this.slots[0];
        const last = --this.size;
        if (last > 0)
            this.sink(this.ranks[last], this.positions[last], this.slots[last]);
        return true;
    }
    sink(rank, position, slot) {
        let at = 0;
        for (;;) {
            let child = 2 * at + 1;
            if (child >= this.size)
                break;
            if (child + 1 < this.size && this.before(this.ranks[child + 1], this.positions[child + 1], child))
                child++;
            if (this.before(rank, position, child))
                break;
            this.move(child, at);
            at = child;
        }
        this.put(at, rank, position, slot);
    }
    before(rank, position, other) {
        return rank < this.ranks[other] || (rank === this.ranks[other] && position < this.positions[other]);
    }
    move(from, to) {
        this.put(to, this.ranks[from], this.positions[from], this.slots[from]);
    }
    put(at, rank, position, slot) {
        this.ranks[at] = rank;
        this.positions[at] = position;
        this.slots[at] = slot;
    }
}
