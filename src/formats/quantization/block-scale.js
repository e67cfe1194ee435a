/** The f16 scales inside blocks: two bytes at any place, without alignment. */
import { halfValues, toHalf } from "../../core/half.js";
/** The f16 at byte `at`, as float32. */
export function halfAt(bytes, at) {
    return halfValues[bytes[at] | (bytes[at + 1] << 8)];
}
/** Stores the f16 nearest to `value` at byte `at`. */
export function putHalf(bytes, at, value) {
    const half = toHalf(value);
    bytes[at] = half & 0xff;
    bytes[at + 1] = half >>> 8;
}
