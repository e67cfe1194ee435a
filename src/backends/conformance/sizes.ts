/** Sizes at which kernels go wrong: none, one, and one off a multiple of what a register or a panel holds. */
export const awkwardRows = [0, 1, 2, 5, 17] as const;
export const awkwardWidths = [1, 15, 16, 17, 31, 33, 64, 100, 288] as const;

/** What `make` gives for every pair. */
export function over<A, B, T>(first: readonly A[], second: readonly B[], make: (a: A, b: B) => T): T[] {
  return first.flatMap((a) => second.map((b) => make(a, b)));
}
