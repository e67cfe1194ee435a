/** A curve of block characters, for a terminal. */

const eighths = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/**
 * The area under a curve, in `height` lines of `width` characters, each an eighth of a line exact. The lowest value
 * still shows an eighth, so that where there is a curve there is ink.
 *
 * @param values - any number of them: a column is the mean of those that fall into it; with fewer than `width`, each has
 *   one column and the rest stays empty
 * @param low - what an empty column stands for
 * @param high - what a full column stands for
 */
export function blockCurve(
  values: readonly number[],
  { width, height, low, high }: { width: number; height: number; low: number; high: number },
): string[] {
  const levels = columnMeans(values, width).map((value) => {
    const share = high > low ? (value - low) / (high - low) : 1;
    return Math.min(8 * height, Math.max(1, Math.round(share * 8 * height)));
  });
  return Array.from({ length: height }, (_, line) => {
    const below = 8 * (height - 1 - line);
    const drawn = levels.map((level) => eighths[Math.min(8, Math.max(0, level - below))]);
    return drawn.join("").padEnd(width);
  });
}

/** At most `width` means of neighbouring values. */
export function columnMeans(values: readonly number[], width: number): number[] {
  const count = Math.min(width, values.length);
  return Array.from({ length: count }, (_, column) => {
    const [from, to] = [column, column + 1].map((edge) => Math.floor((edge * values.length) / count));
    const part = values.slice(from, to);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
