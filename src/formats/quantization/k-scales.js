/** The six-bit scales and minima that Q4_K and Q5_K share: eight of each in 12 bytes. */
/** Scale of group 0 to 7; `scales` is where the 12 bytes begin. */
export function scaleOf(blocks, scales, group) {
    if (group < 4)
        return blocks[scales + group] & 63;
    return (blocks[scales + 4 + group] & 15) | ((blocks[scales + group - 4] >> 2) & 48);
}
/** Minimum of group 0 to 7; `scales` is where the 12 bytes begin. */
export function minOf(blocks, scales, group) {
    if (group < 4)
        return blocks[scales + 4 + group] & 63;
    return (blocks[scales + 4 + group] >> 4) | ((blocks[scales + group] >> 2) & 48);
}
