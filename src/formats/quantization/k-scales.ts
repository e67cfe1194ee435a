/** The six-bit scales and minima that Q4_K and Q5_K share: eight of each in 12 bytes. */

/** Scale of group 0 to 7; `scales` is where the 12 bytes begin. */
export function scaleOf(blocks: Uint8Array, scales: number, group: number): number {
  if (group < 4) return blocks[scales + group] & 63;
  return (blocks[scales + 4 + group] & 15) | ((blocks[scales + group - 4] >> 2) & 48);
}

/** Minimum of group 0 to 7; `scales` is where the 12 bytes begin. */
export function minOf(blocks: Uint8Array, scales: number, group: number): number {
  if (group < 4) return blocks[scales + 4 + group] & 63;
  return (blocks[scales + 4 + group] >> 4) | ((blocks[scales + group] >> 2) & 48);
}

/** Writes eight scales and eight minima of six bits each into the 12 bytes that begin at `at`. */
export function putScales(blocks: Uint8Array, at: number, scales: Uint8Array, mins: Uint8Array): void {
  for (let group = 0; group < 4; group++) {
    const [scale, min] = [scales[group + 4], mins[group + 4]];
    blocks[at + group] = scales[group] | ((scale >> 4) << 6);
    blocks[at + 4 + group] = mins[group] | ((min >> 4) << 6);
    blocks[at + 8 + group] = (scale & 15) | ((min & 15) << 4);
  }
}
