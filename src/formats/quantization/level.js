/** What quantizing to blocks of 32 values has in common: the range of a block, and rounding to a few bits. */
/** 1 / scale in float32, and 0 for a scale of zero. */
export function inverse(scale) {
    return scale === 0 ? 0 : Math.fround(1 / scale);
}
/** The value of 32 at `start` that is farthest from zero, the first of those that tie; with its sign. */
export function farthest(values, start) {
    let found = values[start];
    for (let i = start + 1; i < start + 32; i++)
        if (Math.abs(values[i]) > Math.abs(found))
            found = values[i];
    return found;
}
/** The least and the greatest of 32 values at `start`. */
export function range(values, start) {
    let min = values[start];
    let max = min;
    for (let i = start + 1; i < start + 32; i++) {
        if (values[i] < min)
            min = values[i];
        if (values[i] > max)
            max = values[i];
    }
    return { min, max };
}
/** `trunc(value × factor + offset)` in float32, at most `most`: how the GGUF types round to unsigned levels. */
export function level(value, factor, offset, most) {
    return Math.min(most, Math.trunc(Math.fround(Math.fround(value * factor) + offset)));
}
