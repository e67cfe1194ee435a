/** Arithmetic on shapes that come out of files, where every number may be a lie. */
/**
 * The number of elements of a shape.
 *
 * @returns undefined when a size is not a whole number of zero or more, or the product passes 2⁵³ − 1.
 */
export function elementCount(shape) {
    let product = 1;
    for (const size of shape) {
        if (!Number.isSafeInteger(size) || size < 0)
            return undefined;
        product *= size;
        if (product > Number.MAX_SAFE_INTEGER)
            return undefined;
    }
    return product;
}
/** The first two stretches that share a byte; undefined when none do. Empty stretches share nothing. */
export function findOverlap(extents) {
    const sorted = extents.filter(({ start, end }) => end > start).sort((a, b) => a.start - b.start);
    for (let i = 1; i < sorted.length; i++) {
        if (sorted[i].start < sorted[i - 1].end)
            return [sorted[i - 1], sorted[i]];
    }
    return undefined;
}
