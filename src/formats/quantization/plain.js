/** Storage types of one number per element, to and from float32. */
import { narrowToBfloats, narrowToHalves, widenBfloats, widenHalves } from "../../core/half.js";
export function widenF16(bytes, into) {
    widenHalves(view(Uint16Array, bytes), into);
}
export function widenBf16(bytes, into) {
    widenBfloats(view(Uint16Array, bytes), into);
}
export function narrowF16(values, into) {
    const halves = new Uint16Array(values.length);
    narrowToHalves(values, halves);
    into.set(new Uint8Array(halves.buffer));
}
export function narrowBf16(values, into) {
    const bfloats = new Uint16Array(values.length);
    narrowToBfloats(values, bfloats);
    into.set(new Uint8Array(bfloats.buffer));
}
export function copyToF32(bytes, into) {
    new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(bytes);
}
export function copyFromF32(values, into) {
    into.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}
/** Rounds each number to the nearest float32. */
export function fromF64(bytes, into) {
    into.set(view(Float64Array, bytes));
}
export function fromI64(bytes, into) {
    const halves = view(Int32Array, bytes); // low, high: as doubles much faster than as bigints
    for (let i = 0; i < into.length; i++)
        into[i] = halves[2 * i + 1] * 2 ** 32 + (halves[2 * i] >>> 0);
}
export function fromI32(bytes, into) {
    into.set(view(Int32Array, bytes));
}
export function fromI16(bytes, into) {
    into.set(view(Int16Array, bytes));
}
export function fromI8(bytes, into) {
    into.set(view(Int8Array, bytes));
}
/** Also for booleans, which are bytes of 0 or 1. */
export function fromU8(bytes, into) {
    into.set(bytes);
}
/** The same bytes as wider numbers; copied only when they do not lie on the boundary that those need. */
function view(numbers, bytes) {
    const width = numbers.BYTES_PER_ELEMENT;
    const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
    return new numbers(aligned.buffer, aligned.byteOffset, bytes.length / width);
}
