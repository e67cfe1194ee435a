/** Sets of Unicode scalar values as sorted, disjoint, inclusive ranges: what a character class denotes. */

export type Range = readonly [low: number, high: number];
export type Ranges = readonly Range[];

/** Every Unicode scalar value: all code points but the surrogates, which no UTF-8 text contains. */
export const everyCharacter: Ranges = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
];

/** Sorts and merges; what lies among the surrogates is left out. */
export function rangesOf(parts: Ranges): Ranges {
  const sorted = [...parts].sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [low, high] of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else merged.push([low, high]);
  }
  return intersection(merged, everyCharacter);
}

export function complement(ranges: Ranges): Ranges {
  const rest: Range[] = [];
  let next = 0;
  for (const [low, high] of ranges) {
    if (low > next) rest.push([next, low - 1]);
    next = high + 1;
  }
  if (next <= 0x10ffff) rest.push([next, 0x10ffff]);
  return intersection(rest, everyCharacter);
}

export function intersection(a: Ranges, b: Ranges): Ranges {
  const both: Range[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const low = Math.max(a[i][0], b[j][0]);
    const high = Math.min(a[i][1], b[j][1]);
    if (low <= high) both.push([low, high]);
    if (a[i][1] < b[j][1]) i++;
    else j++;
  }
  return both;
}

const byProperty = new Map<string, Ranges | undefined>();

/** Characters of a Unicode property as `\p{…}` names it; undefined where JavaScript knows no such property. */
export function propertyRanges(property: string): Ranges | undefined {
  if (!byProperty.has(property)) byProperty.set(property, findProperty(property));
  return byProperty.get(property);
}

function findProperty(property: string): Ranges | undefined {
  let pattern: RegExp;
  try {
    pattern = new RegExp(`^\\p{${property}}$`, "u");
  } catch {
    return undefined;
  }
  const found: Range[] = [];
  let start = -1;
  for (let codePoint = 0; codePoint <= 0x110000; codePoint++) {
    const surrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
    const inside = codePoint <= 0x10ffff && !surrogate && pattern.test(String.fromCodePoint(codePoint));
    if (inside && start < 0) start = codePoint;
    if (inside || start < 0) continue;
    found.push([start, codePoint - 1]);
    start = -1;
  }
  return found;
}
