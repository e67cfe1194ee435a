/**
 * Symbolic tensors: a shape, an element type and where the value comes from. No numbers are held here.
 *
 * A shape is row-major. Its first extent may be live: compiled for a capacity, told its live size at each run
 * (tokens in this call, rows to output). All other extents are fixed.
 */
import { assert } from "../core/errors.js";
/** The size of an extent when its live dimension is full. */
export function capacityOf(extent) {
    return typeof extent === "number" ? extent : extent.capacity;
}
/** Elements of a tensor when its live dimension is full. */
export function capacityElements(tensor) {
    return tensor.shape.reduce((product, extent) => product * capacityOf(extent), 1);
}
/** The shape of a tensor in one run. */
export function liveShape(tensor, live) {
    return tensor.shape.map((extent) => {
        if (typeof extent === "number")
            return extent;
        const size = live[extent.name];
        assert(size !== undefined, `no live size for ${extent.name}`);
        return size;
    });
}
/** Elements in one row: the product of all extents but the first. */
export function rowWidth(tensor) {
    return tensor.shape.slice(1).reduce((product, extent) => product * capacityOf(extent), 1);
}
export function sameExtent(a, b) {
    return typeof a === "number" || typeof b === "number" ? a === b : a.name === b.name;
}
/** A shape for messages: `[tokens, 64]`. */
export function showShape(shape) {
    return `[${shape.map((extent) => (typeof extent === "number" ? extent : extent.name)).join(", ")}]`;
}
