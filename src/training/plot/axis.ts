/** Axes: from values to places on a line, and where ticks with round numbers stand. */

export interface Axis {
  /** Lowest and highest value shown. */
  readonly domain: readonly [number, number];
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
  /** Where a value lies: 0 at the start of the domain, 1 at its end. */
  place(value: number): number;
}

/**
 * An axis with ticks at multiples of 1, 2 or 5 times a power of ten.
 * @param tickCount - about how many ticks; at least 1
 * @param fit - whether the domain ends with the values, not with ticks
 */
export function linearAxis(values: Iterable<number>, tickCount: number, fit = false): Axis {
  const [low, high] = widened(rangeOf(values));
  const step = roundStep((high - low) / tickCount);
  const [first, last] = fit
    ? [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)]
    : [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  const domain = fit ? ([low, high] as const) : ([first * step, last * step] as const);
  const ticks = labelled(Array.from({ length: last - first + 1 }, (_, index) => rounded((first + index) * step)));
  return { domain, ticks, place: (value) => (value - domain[0]) / (domain[1] - domain[0]) };
}

/** An axis on which equal factors lie equally far apart. Values must be above 0; others have no place on it. */
export function logAxis(values: Iterable<number>, tickCount: number): Axis {
  const [low, high] = rangeOf([...values].filter((value) => value > 1e-30));
  const domain = high > low * 1.001 ? ([low, high] as const) : ([low / 2, low * 2] as const);
  const [start, end] = domain.map(Math.log) as [number, number];
  const candidates = [[1], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]].map((digits) => decimalTicks(domain, digits));
  const enough = candidates.find((ticks) => ticks.length >= Math.min(4, tickCount));
  const places = enough ?? linearAxis(domain, tickCount, true).ticks.map(({ value }) => value);
  const ticks = places.flatMap((value) => labelled([value]));
  return { domain, ticks, place: (value) => (Math.log(value) - start) / (end - start) };
}

/** Digits times powers of ten, inside the domain. */
function decimalTicks([low, high]: readonly [number, number], digits: readonly number[]): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const powers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const ticks = powers.flatMap((power) => digits.map((digit) => rounded(digit * 10 ** power)));
  return ticks.filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9));
}

function rangeOf(values: Iterable<number>): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [1, 10];
}

/** A range that is wide enough to have numbers in it. */
function widened([low, high]: [number, number]): [number, number] {
  const largest = Math.max(Math.abs(low), Math.abs(high));
  if (high - low > Math.max(1e-9 * largest, 1e-30)) return [low, high];
  const margin = largest > 1e-30 ? largest / 10 : 1;
  return [low - margin, high + margin];
}

/** 1, 2 or 5 times a power of ten, near `step`. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const lead = step / power;
  return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

/** Without what binary fractions add: 0.1 · 3 is 0.3. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}

const units: readonly (readonly [number, string])[] = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** Labels in one unit, with as many decimals as the one that needs most. */
function labelled(values: readonly number[]): { value: number; label: string }[] {
  const largest = Math.max(...values.map(Math.abs), 0);
  const [scale, unit] = largest >= 1e4 ? units.find(([size]) => largest >= size)! : [1, ""];
  const decimals = Math.max(0, ...values.map((value) => decimalsOf(rounded(value / scale))));
  return values.map((value) => ({ value, label: value === 0 ? "0" : (value / scale).toFixed(decimals) + unit }));
}

function decimalsOf(value: number): number {
  const [digits, exponent = "0"] = String(value).split("e");
  return Math.max(0, (digits!.split(".")[1]?.length ?? 0) - Number(exponent));
}
