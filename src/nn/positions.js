/**
 * Cosines, then sines, of every position's angles.
 * Angles are rounded to float32 before the cosine, as published implementations do.
 *
 * @returns constant [contextLength, 2 · frequencies.length]
 */
export function rotaryTable(graph, name, config, contextLength) {
    const existing = graph.find(name);
    if (existing !== undefined)
        return existing;
    const half = config.frequencies.length;
    const values = new Float32Array(contextLength * 2 * half);
    for (let position = 0; position < contextLength; position++) {
        const row = position * 2 * half;
        for (let i = 0; i < half; i++) {
            const angle = Math.fround(position * config.frequencies[i]);
            values[row + i] = Math.cos(angle) * config.attentionFactor;
            values[row + half + i] = Math.sin(angle) * config.attentionFactor;
        }
    }
    return graph.constant(name, [contextLength, 2 * half], values);
}
/**
 * Rows of the fixed position table: sines in the first half, cosines in the second.
 * Vaswani et al., 2017 (arXiv:1706.03762), §3.5, in the layout of Marian and tensor2tensor.
 *
 * @returns [count, hiddenSize] for the positions from `first` on
 */
export function sinusoidalRows(config, hiddenSize, first, count) {
    const half = hiddenSize / 2;
    const rows = new Float32Array(count * hiddenSize);
    for (let row = 0; row < count; row++) {
        for (let i = 0; i < half; i++) {
            const angle = (config.start + first + row) * 10000 ** (-i / config.steps);
            rows[row * hiddenSize + i] = Math.sin(angle);
            rows[row * hiddenSize + half + i] = Math.cos(angle);
        }
    }
    return rows;
}
/**
 * Bucket of each distance key − query from −maxDistance to maxDistance: exact for near ones, logarithmic beyond.
 * Raffel et al., 2020 (arXiv:1910.10683), as published in the T5 code.
 *
 * @returns [2 · maxDistance + 1]
 */
export function relativeBuckets(config) {
    const { maxDistance } = config;
    return Int32Array.from({ length: 2 * maxDistance + 1 }, (_, i) => relativeBucket(i - maxDistance, config));
}
function relativeBucket(distance, config) {
    const count = config.bidirectional ? config.bucketCount / 2 : config.bucketCount;
    const base = config.bidirectional && distance > 0 ? count : 0;
    const back = config.bidirectional ? Math.abs(distance) : Math.max(0, -distance);
    const exact = count / 2;
    if (back < exact)
        return base + back;
    const scaled = Math.fround(Math.fround(Math.log(back / exact)) / Math.fround(Math.log(config.maxDistance / exact)));
    return base + Math.min(count - 1, exact + Math.floor(Math.fround(scaled * (count - exact))));
}
