/** What steps, proposals and runs over proposals take, measured as they happen, in milliseconds. */

/** Spread of x at which measurements count as much as expectation. */
const stiffness = 0.5;

/** Share of what was known that stays when a measurement is added: about the last twenty count. */
const memory = 0.95;

/** A running mean of measurements per unit. */
export class Rate {
  #total = 0;
  #units = 0;

  add(total: number, units: number): void {
    this.#total = memory * this.#total + total;
    this.#units = memory * this.#units + units;
  }

  /** Undefined as long as nothing was measured. */
  get value(): number | undefined {
    return this.#units === 0 ? undefined : this.#total / this.#units;
  }
}

/** The middle of the last few measurements: what else runs on the machine for a moment does not show. */
export class RecentMedian {
  readonly #values: number[] = [];

  constructor(readonly size = 9) {}

  add(value: number): void {
    this.#values.push(value);
    if (this.#values.length > this.size) this.#values.shift();
  }

  get count(): number {
    return this.#values.length;
  }

  get value(): number {
    const sorted = [...this.#values].sort((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  }
}

/**
 * A straight line through measurements, the recent ones counting more: what a run takes by its rows. Where they hardly
 * differ in x, the slope is the one that is expected.
 */
export class Line {
  #weight = 0;
  #x = 0;
  #y = 0;
  #xx = 0;
  #xy = 0;
  #count = 0;

  /** @param slope - that is expected, from the mean x and y */
  constructor(readonly slope: (x: number, y: number) => number) {}

  get count(): number {
    return this.#count;
  }

  /** A measurement more than twice what was expected is something else's: it counts as twice. */
  add(x: number, y: number): void {
    const value = this.#count >= 6 ? Math.min(y, 2 * this.at(x)) : y;
    this.#weight = memory * this.#weight + 1;
    this.#x = memory * this.#x + x;
    this.#y = memory * this.#y + value;
    this.#xx = memory * this.#xx + x * x;
    this.#xy = memory * this.#xy + x * value;
    this.#count++;
  }

  /** 0 as long as nothing was measured. */
  at(x: number): number {
    if (this.#count === 0) return 0;
    const [meanX, meanY] = [this.#x / this.#weight, this.#y / this.#weight];
    const spread = this.#xx / this.#weight - meanX * meanX;
    const together = this.#xy / this.#weight - meanX * meanY;
    const slope = (together + stiffness * this.slope(meanX, meanY)) / (spread + stiffness);
    return Math.max(0, meanY + Math.max(0, slope) * (x - meanX));
  }
}
