/** What steps, proposals and runs over proposals take, measured as they happen, in milliseconds. */

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

/** A straight line through measurements, the recent ones counting more: what a run takes by its rows. */
export class Line {
  #weight = 0;
  #x = 0;
  #y = 0;
  #xx = 0;
  #xy = 0;
  #count = 0;

  /** A measurement more than twice what was expected is something else's: it counts as twice. */
  add(x: number, y: number, weight = 1): void {
    const value = this.#count >= 6 ? Math.min(y, 2 * this.at(x)) : y;
    this.#weight = memory * this.#weight + weight;
    this.#x = memory * this.#x + weight * x;
    this.#y = memory * this.#y + weight * value;
    this.#xx = memory * this.#xx + weight * x * x;
    this.#xy = memory * this.#xy + weight * x * value;
    this.#count++;
  }

  at(x: number): number {
    const [meanX, meanY] = [this.#x / this.#weight, this.#y / this.#weight];
    const spread = this.#xx / this.#weight - meanX * meanX;
    const slope = spread < 1e-6 ? 0 : Math.max(0, (this.#xy / this.#weight - meanX * meanY) / spread);
    return meanY + slope * (x - meanX);
  }
}
