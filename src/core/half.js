/**
 * 16-bit floating point: IEEE 754 half precision (f16) and bfloat16 (bf16), to and from float32.
 *
 * Narrowing rounds to nearest, ties to even; too large becomes infinite; NaN stays NaN.
 */
const halfBits = new Uint32Array(65_536);
/** The float32 value of every f16, by its bits. */
export const halfValues = new Float32Array(halfBits.buffer);
for (let bits = 0; bits < 65_536; bits++)
    halfBits[bits] = widenHalf(bits);
function widenHalf(bits) {
    const sign = (bits & 0x8000) << 16;
    const exponent = (bits >>> 10) & 0x1f;
    const mantissa = bits & 0x3ff;
    if (exponent === 0x1f)
        return sign | 0x7f800000 | (mantissa << 13);
    if (exponent !== 0)
        return sign | ((exponent + 112) << 23) | (mantissa << 13);
    if (mantissa === 0)
        return sign;
    const shift = Math.clz32(mantissa) - 21; // brings the highest bit to where a normal number has its hidden one
    return sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13);
}
const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);
/** The f16 bits nearest to `value`. */
export function toHalf(value) {
    scratch[0] = value;
    return narrowToHalf(scratchBits[0]);
}
/** float32 bits to f16 bits. */
function narrowToHalf(bits) {
    const sign = (bits >>> 16) & 0x8000;
    const magnitude = bits & 0x7fffffff;
    if (magnitude >= 0x47800000) {
        return magnitude > 0x7f800000 ? sign | 0x7e00 | ((magnitude >>> 13) & 0x1ff) : sign | 0x7c00;
    }
    if (magnitude >= 0x38800000)
        return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
    if (magnitude < 0x33000000)
        return sign;
    const shift = 126 - (magnitude >>> 23); // subnormal: counted in units of 2⁻²⁴
    const mantissa = (magnitude & 0x7fffff) | 0x800000;
    const half = mantissa >>> shift;
    const rest = mantissa & ((1 << shift) - 1);
    const middle = 1 << (shift - 1);
    return sign | (rest > middle || (rest === middle && (half & 1) === 1) ? half + 1 : half);
}
/**
 * Widens f16 to float32, exactly.
 *
 * @param halves - [n] bits. @param into - [n], written.
 */
export function widenHalves(halves, into) {
    const bits = new Uint32Array(into.buffer, into.byteOffset, halves.length);
    for (let i = 0; i < halves.length; i++)
        bits[i] = halfBits[halves[i]];
}
/**
 * Narrows float32 to f16.
 *
 * @param values - [n]. @param into - [n] bits, written.
 */
export function narrowToHalves(values, into) {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < bits.length; i++)
        into[i] = narrowToHalf(bits[i]);
}
/**
 * Widens bf16 to float32, exactly.
 *
 * @param bfloats - [n] bits. @param into - [n], written.
 */
export function widenBfloats(bfloats, into) {
    const bits = new Uint32Array(into.buffer, into.byteOffset, bfloats.length);
    for (let i = 0; i < bfloats.length; i++)
        bits[i] = bfloats[i] << 16;
}
/**
 * Narrows float32 to bf16.
 *
 * @param values - [n]. @param into - [n] bits, written.
 */
export function narrowToBfloats(values, into) {
    const all = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < all.length; i++) {
        const bits = all[i];
        const isNan = (bits & 0x7fffffff) > 0x7f800000;
        into[i] = isNan ? (bits >>> 16) | 0x40 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
    }
}
