/** Which known word somebody probably meant. */

/**
 * The known word nearest to `word`: fewest letters inserted, deleted, replaced or swapped with their neighbour
 * (Damerau, 1964; optimal string alignment), letters' case aside. The first of equally near ones.
 *
 * @returns undefined where even the nearest differs in more than two fifths of its letters.
 */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const distances = known.map((each) => distance(word.toLowerCase(), each.toLowerCase()));
  const least = Math.min(...distances);
  const nearest = known[distances.indexOf(least)];
  return nearest !== undefined && least <= 0.4 * Math.max(word.length, nearest.length) ? nearest : undefined;
}

function distance(a: string, b: string): number {
  let [before, above] = [[] as number[], Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = above[column - 1] + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const least = Math.min(replaced, above[column] + 1, current[column - 1] + 1);
      current.push(swapped ? Math.min(least, before[column - 2] + 1) : least);
    }
    [before, above] = [above, current];
  }
  return above[b.length];
}
