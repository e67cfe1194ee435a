/**
 * All entries of a vocabulary that start at a place in a text, shortest first.
 *
 * A trie over UTF-16 units; each child is found in one hash table keyed by (node, unit).
 */
import { OutOfRangeError } from "../../core/errors.js";
import { MergeTable } from "./merge-table.js";
/** Longer entries would make a search cost the square of the text's length. */
const longestEntry = 1024;
/** A set of strings, each with a non-negative value, searched by prefix. */
export class Trie {
    children = new MergeTable();
    values = [-1];
    /**
     * Adds `text`; the last value given for a text stays. The empty text is ignored.
     * @throws OutOfRangeError when the text is longer than 1024 UTF-16 units.
     */
    add(text, value) {
        if (text.length === 0)
            return;
        if (text.length > longestEntry)
            throw new OutOfRangeError("token length", `at most ${longestEntry}`, text.length);
        let node = 0;
        for (let i = 0; i < text.length; i++) {
            const slot = this.children.find(node, text.charCodeAt(i));
            if (slot === -1) {
                this.children.set(node, text.charCodeAt(i), 0, this.values.length);
                node = this.values.length;
                this.values.push(-1);
            }
            else {
                node = this.children.mergedAt(slot);
            }
        }
        this.values[node] = value;
    }
    get isEmpty() {
        return this.values.length === 1;
    }
    /** Node reached from `node` by one UTF-16 unit, or -1. The root is 0. */
    step(node, unit) {
        const slot = this.children.find(node, unit);
        return slot === -1 ? -1 : this.children.mergedAt(slot);
    }
    /** Value of the text that ends at `node`, or -1. */
    valueAt(node) {
        return this.values[node];
    }
    /** The longest entry at `start`: its value and end, or undefined. */
    longest(text, start) {
        let node = 0;
        let found;
        for (let at = start; at < text.length; at++) {
            node = this.step(node, text.charCodeAt(at));
            if (node === -1)
                break;
            if (this.values[node] !== -1)
                found = { value: this.values[node], end: at + 1 };
        }
        return found;
    }
}
