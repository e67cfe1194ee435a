/**
 * JSON numbers, those in a range too, as machines.
 *
 * Without a range every notation is allowed that stays finite as a double; with one, notation without exponents. Neither
 * has more digits than `digitsAtMost`. An exclusive bound becomes the next double: every double that it admits and that
 * so many digits can tell has a notation here, the shortest.
 */
import { digitsAtMost } from "../limits.js";
import { type Factor, IntersectionMachine } from "../regular/combine.js";
import { utf8Encoding } from "../regular/encoding.js";
import { type Machine, TableMachine } from "../regular/machine.js";
import { RegexMachine } from "../regular/regex-machine.js";
import { parseRegex } from "../regular/syntax.js";

/** Bounds are inclusive and may be infinite. */
export interface NumberRange {
  readonly low: number;
  readonly high: number;
  /** Whole numbers only. */
  readonly whole: boolean;
}

/** The tightest inclusive range for bounds as JSON Schema gives them. */
export function rangeOf(
  minimums: readonly number[],
  exclusiveMinimums: readonly number[],
  maximums: readonly number[],
  exclusiveMaximums: readonly number[],
  whole: boolean,
): NumberRange {
  const low = Math.max(Number.NEGATIVE_INFINITY, ...minimums, ...exclusiveMinimums.map((bound) => above(bound, whole)));
  const high = Math.min(
    Number.POSITIVE_INFINITY,
    ...maximums,
    ...exclusiveMaximums.map((bound) => -above(-bound, whole)),
  );
  return whole ? { low: Math.ceil(low), high: Math.floor(high), whole } : { low, high, whole };
}

/** The least number above a bound. */
function above(bound: number, whole: boolean): number {
  const next = nextUp(bound);
  return whole ? Math.max(next, Math.floor(bound) + 1) : next;
}

/** The next larger double. */
function nextUp(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? 1n : -1n));
  return view.getFloat64(0);
}

/** The language of the numbers in a range; undefined where there is none. */
export function numberMachine(range: NumberRange): Machine | undefined {
  const { low, high, whole } = range;
  if (low > high) return undefined;
  if (low === high) return literalNumbers([low]);
  const bounds = [low, high].filter(Number.isFinite);
  if (bounds.length === 0) return whole ? anyWhole() : anyNumber();
  const usual = rangeMachine(range, digitsAtMost.integer, digitsAtMost.fraction);
  if (!usual.isEmpty) return usual;
  const parts = bounds.map((bound) => decimal(Math.abs(bound)).split("."));
  const most = (index: number) => Math.max(...parts.map((part) => part[index]?.length ?? 1));
  const long = rangeMachine(range, most(0), most(1));
  return long.isEmpty ? undefined : long;
}

/** Numbers of at most so many digits. */
function rangeMachine({ low, high, whole }: NumberRange, integer: number, fraction: number): IntersectionMachine {
  const sign = low >= 0 ? "" : high < 0 ? "-" : "-?";
  const digits = `${integerOf(integer)}${whole ? zeros : `(\\.\\d{1,${fraction}})?`}`;
  const factors: Factor[] = [{ machine: machine(`${sign}${digits}`), negated: false }];
  if (low > Number.NEGATIVE_INFINITY) factors.push({ machine: new BoundMachine(low, 1), negated: false });
  if (high < Number.POSITIVE_INFINITY) factors.push({ machine: new BoundMachine(high, -1), negated: false });
  return new IntersectionMachine(factors);
}

const integerOf = (digits: number) => `(0|[1-9]\\d{0,${digits - 1}})`;
const fraction = `(\\.\\d{1,${digitsAtMost.fraction}})?`;
const zeros = `(\\.0{1,${digitsAtMost.fraction}})?`;
/** Those that stay finite as a double. */
const exponents =
  `(\\d|[1-9]\\d{1,${digitsAtMost.integer - 1}})${fraction}[eE]([-+]?\\d{1,2}|-\\d{3})|` +
  `\\d${fraction}[eE]\\+?([12]\\d{2}|30[0-7])|1(\\.[0-7]\\d{0,${digitsAtMost.fraction - 1}})?[eE]\\+?308`;

let [anyWholeMachine, anyNumberMachine]: (Machine | undefined)[] = [];

function anyWhole(): Machine {
  anyWholeMachine ??= machine(`-?${integerOf(digitsAtMost.integer)}${zeros}`);
  return anyWholeMachine;
}

function anyNumber(): Machine {
  anyNumberMachine ??= machine(`-?(${integerOf(digitsAtMost.integer)}${fraction}|${exponents})`);
  return anyNumberMachine;
}

/** Exactly these numbers, with zeros at the end if need be. */
export function literalNumbers(values: readonly number[]): Machine | undefined {
  if (values.length === 0) return undefined;
  const notations = values.map((value) => {
    const text = decimal(value);
    const [, fraction] = text.split(".");
    if (fraction === undefined) return text + zeros;
    return `${text.replace(".", "\\.")}0{0,${Math.max(0, digitsAtMost.fraction - fraction.length)}}`;
  });
  return machine(notations.join("|"));
}

function machine(source: string): Machine {
  return new RegexMachine(parseRegex(source), utf8Encoding);
}

/** A number in decimal notation without an exponent: the shortest digits that give the same double. */
export function decimal(value: number): string {
  const text = String(value);
  const parts = /^(-?)(\d+)(?:\.(\d+))?e([-+]\d+)$/.exec(text);
  if (parts === null) return text;
  const [, sign, whole, fraction = "", exponent] = parts;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return `${sign}${digits.slice(0, point).padEnd(point, "0")}${point < digits.length ? `.${digits.slice(point)}` : ""}`;
}

const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;

/** What has been read of a number: its sign, the digits of the part that is being read, how it compares so far. */
interface Progress {
  readonly negative: boolean;
  readonly part: "integer" | "fraction";
  /** Digits of the part; not counted on where more make no difference. */
  readonly digits: number;
  /** The digits so far against the bound's first as many: −1, 0 or 1. */
  readonly order: number;
}

/**
 * Numbers without exponents on one side of a bound, the bound included. Reads any well-formed number; it stands beside
 * a machine that says what is one.
 */
class BoundMachine extends TableMachine {
  readonly start: number;
  readonly #integer: string;
  readonly #fraction: string;
  readonly #negative: boolean;
  readonly #states: Progress[] = [];
  readonly #ids = new Map<string, number>();

  /** @param side - 1: from the bound up; −1: down */
  constructor(
    bound: number,
    readonly side: 1 | -1,
  ) {
    super();
    this.#negative = bound < 0;
    [this.#integer, this.#fraction = ""] = decimal(Math.abs(bound)).split(".");
    this.start = this.#state({ negative: false, part: "integer", digits: 0, order: 0 });
  }

  accepts(state: number): boolean {
    const progress = this.#states[state];
    return this.#holds(progress.negative, this.#finalOrder(progress));
  }

  protected next(state: number, byte: number): number {
    const progress = this.#states[state];
    if (byte === minus) return this.#state({ ...progress, negative: true });
    if (byte === point)
      return this.#state({ ...progress, part: "fraction", digits: 0, order: this.#integerOrder(progress) });
    const next = progress.part === "integer" ? this.#integerDigit(progress, byte) : this.#fractionDigit(progress, byte);
    return this.#isHopeless(next) ? -1 : this.#state(next);
  }

  #integerDigit(progress: Progress, byte: number): Progress {
    const { digits, order } = progress;
    const known = this.#integer.length;
    if (digits >= known) return { ...progress, digits: known + 1, order: 1 };
    const difference = order === 0 ? Math.sign(byte - this.#integer.charCodeAt(digits)) : order;
    return { ...progress, digits: digits + 1, order: difference };
  }

  #fractionDigit(progress: Progress, byte: number): Progress {
    const { digits, order } = progress;
    if (order !== 0) return { ...progress, digits: 0 };
    const expected = digits < this.#fraction.length ? this.#fraction.charCodeAt(digits) : zero;
    const difference = Math.sign(byte - expected);
    return {
      ...progress,
      digits: difference === 0 ? Math.min(digits + 1, this.#fraction.length) : 0,
      order: difference,
    };
  }

  /** The integer part against the bound's, once it is complete. */
  #integerOrder({ digits, order }: Progress): number {
    return digits === this.#integer.length ? order : digits < this.#integer.length ? -1 : 1;
  }

  /** The size of the number against the bound's, if it ended here. */
  #finalOrder(progress: Progress): number {
    const order = progress.part === "integer" ? this.#integerOrder(progress) : progress.order;
    if (order !== 0) return order;
    const compared = progress.part === "integer" ? 0 : progress.digits;
    return compared < this.#fraction.length ? -1 : 0;
  }

  /** Whether a number whose size compares to the bound's by `order` lies on the right side. */
  #holds(negative: boolean, order: number): boolean {
    if (negative !== this.#negative) {
      const isZero = order === 0 && this.#integer === "0" && this.#fraction === "";
      return isZero || negative === this.side < 0;
    }
    return order === 0 || (negative ? -order : order) === this.side;
  }

  /** Whether no digits that may follow help any more. */
  #isHopeless(progress: Progress): boolean {
    const { negative, part, digits, order } = progress;
    if (negative !== this.#negative) return !this.#holds(negative, 1) && !this.#holds(negative, 0) && digits > 0;
    // More digits make a number larger, never smaller.
    const growing = (negative ? -1 : 1) === this.side;
    if (part === "fraction") return order !== 0 && !this.#holds(negative, order);
    return !growing && digits >= this.#integer.length && order > 0;
  }

  #state(progress: Progress): number {
    const key = JSON.stringify(progress);
    let state = this.#ids.get(key);
    if (state === undefined) {
      state = this.#states.push(progress) - 1;
      this.#ids.set(key, state);
    }
    return state;
  }
}
