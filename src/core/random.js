/**
 * Random numbers as a function of (seed, position), not of what was drawn before: a sequence that is rewound, forked
 * or restored draws again what a fresh one would.
 *
 * Philox 4×32, 10 rounds. Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3".
 */
const multiplier0 = 0xd2511f53;
const multiplier1 = 0xcd9e8d57;
const weyl0 = 0x9e3779b9;
const weyl1 = 0xbb67ae85;
/** A seed is any safe integer; `stream` keeps independent uses of one seed apart. */
export class CounterRandom {
    seed;
    stream;
    #key0;
    #key1;
    constructor(seed, stream = 0) {
        this.seed = seed;
        this.stream = stream;
        this.#key0 = seed >>> 0;
        this.#key1 = (Math.floor(seed / 2 ** 32) ^ Math.imul(stream, 0x85ebca6b)) >>> 0;
    }
    /** A number in [0, 1) with 53 random bits, the same at every call with this `position`. */
    uniform(position) {
        const [a, b] = philox(position >>> 0, Math.floor(position / 2 ** 32) >>> 0, this.#key0, this.#key1);
        return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53;
    }
}
/** The first two of the four words of one Philox block. */
function philox(counter0, counter1, key0, key1) {
    let [c0, c1, c2, c3] = [counter0, counter1, 0, 0];
    let [k0, k1] = [key0, key1];
    for (let round = 0; round < 10; round++) {
        const high0 = multiplyHigh(multiplier0, c0);
        const high1 = multiplyHigh(multiplier1, c2);
        [c0, c1, c2, c3] = [high1 ^ c1 ^ k0, Math.imul(multiplier1, c2), high0 ^ c3 ^ k1, Math.imul(multiplier0, c0)];
        k0 = (k0 + weyl0) | 0;
        k1 = (k1 + weyl1) | 0;
    }
    return [c0 >>> 0, c1 >>> 0];
}
/** High 32 bits of an unsigned 32×32-bit product. */
function multiplyHigh(a, b) {
    const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
    const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
    const carry = aLow * bHigh + (middle & 0xffff);
    return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) | 0;
}
/** A seed that nobody chose. */
export function freshSeed() {
    return Math.floor(Math.random() * 2 ** 48);
}
