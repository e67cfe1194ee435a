/** Curves made readable: noise averaged out, and no more points than can be seen. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * A running mean in which each older point counts `weight` times as much as the one after it; the first points are
 * means of fewer, not drawn towards 0 (the correction of Kingma & Ba, arXiv:1412.6980, §3).
 *
 * @param weight - in [0, 1); 0 changes nothing
 */
export function smoothed(points: readonly Point[], weight: number): Point[] {
  let [sum, total] = [0, 0];
  return points.map(({ x, y }) => {
    sum = weight * sum + y;
    total = weight * total + 1;
    return { x, y: sum / total };
  });
}

/** At most about `2 · buckets` points of as many pieces of the curve: the lowest and the highest of each, in order. */
export function thinned(points: readonly Point[], buckets: number): readonly Point[] {
  if (points.length <= 2 * buckets) return points;
  const count = Math.ceil(buckets);
  const size = points.length / count;
  return Array.from({ length: count }, (_, bucket) => {
    const piece = points.slice(Math.floor(bucket * size), Math.floor((bucket + 1) * size));
    const low = piece.reduce((best, point) => (point.y < best.y ? point : best));
    const high = piece.reduce((best, point) => (point.y > best.y ? point : best));
    if (low === high) return [low];
    return low.x < high.x ? [low, high] : [high, low];
  }).flat();
}
