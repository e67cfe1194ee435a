import fc from "fast-check";
import { expect, test } from "vitest";
import { MergeTable } from "./merge-table.js";

/** The definition: merge the lowest-ranked adjacent pair, the leftmost among equals, until none is left. */
function mergeNaively(
  symbols: readonly number[],
  merges: ReadonlyMap<string, { rank: number; merged: number }>,
): number[] {
  const out = [...symbols];
  for (;;) {
    let best = -1;
    let bestRank = Number.POSITIVE_INFINITY;
    for (let i = 0; i + 1 < out.length; i++) {
      const rank = merges.get(`${out[i]},${out[i + 1]}`)?.rank ?? Number.POSITIVE_INFINITY;
      if (rank < bestRank) [best, bestRank] = [i, rank];
    }
    if (best < 0) return out;
    out.splice(best, 2, merges.get(`${out[best]},${out[best + 1]}`)!.merged);
  }
}

test("short and long pieces merge as the definition says", () => {
  const merge = fc.record({
    left: fc.nat(12),
    right: fc.nat(12),
    rank: fc.nat(20),
    merged: fc.integer({ min: 4, max: 12 }),
  });
  fc.assert(
    fc.property(fc.array(merge, { maxLength: 40 }), fc.array(fc.nat(3), { maxLength: 120 }), (list, symbols) => {
      const table = new MergeTable();
      const merges = new Map<string, { rank: number; merged: number }>();
      for (const { left, right, rank, merged } of list) {
        table.set(left, right, rank, merged);
        merges.set(`${left},${right}`, { rank, merged });
      }
      const buffer = Int32Array.from(symbols);
      const count = table.apply(buffer, symbols.length);
      expect([...buffer.subarray(0, count)]).toEqual(mergeNaively(symbols, merges));
    }),
    { numRuns: 1000 },
  );
});
