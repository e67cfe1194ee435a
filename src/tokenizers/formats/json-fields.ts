/** Typed access to parsed JSON from a stranger: every wrong kind is a `FormatError` that names the field. */
import { FormatError, UnsupportedError } from "../../core/errors.js";

/** A JSON value and where it stood. */
export class JsonField {
  constructor(
    readonly value: unknown,
    private readonly path: string,
    private readonly format: string,
  ) {}

  /** Member `name` of an object; missing members are `undefined`. */
  get(name: string): JsonField {
    const object = this.object();
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    const shown = name.slice(0, 60);
    return new JsonField(value, this.path === "" ? shown : `${this.path}.${shown}`, this.format);
  }

  /** True for a missing member and for null. */
  get absent(): boolean {
    return this.value === undefined || this.value === null;
  }

  object(): Readonly<Record<string, unknown>> {
    if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value))
      throw this.wrong("an object");
    return this.value as Record<string, unknown>;
  }

  entries(): (readonly [string, JsonField])[] {
    return Object.entries(this.object()).map(([name, value]) => [
      name,
      new JsonField(value, `${this.path}[${JSON.stringify(name.slice(0, 40))}]`, this.format),
    ]);
  }

  items(): JsonField[] {
    if (!Array.isArray(this.value)) throw this.wrong("an array");
    return this.value.map((item, index) => new JsonField(item, `${this.path}[${index}]`, this.format));
  }

  string(fallback?: string): string {
    if (this.absent && fallback !== undefined) return fallback;
    if (typeof this.value !== "string") throw this.wrong("a string");
    return this.value;
  }

  boolean(fallback?: boolean): boolean {
    if (this.absent && fallback !== undefined) return fallback;
    if (typeof this.value !== "boolean") throw this.wrong("true or false");
    return this.value;
  }

  number(): number {
    if (typeof this.value !== "number" || !Number.isFinite(this.value)) throw this.wrong("a number");
    return this.value;
  }

  /** An integer in [0, limit]. */
  count(limit: number, fallback?: number): number {
    if (this.absent && fallback !== undefined) return fallback;
    const value = this.value;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > limit) {
      throw this.wrong(`an integer from 0 to ${limit}`);
    }
    return value;
  }

  /** One of `names`, as a string. */
  oneOf<T extends string>(names: readonly T[], fallback?: T): T {
    const value = this.string(fallback);
    if (!(names as readonly string[]).includes(value)) throw new UnsupportedError(this.label(), value, names);
    return value as T;
  }

  /** A `FormatError` about this field. */
  error(problem: string): FormatError {
    return new FormatError(this.format, this.path === "" ? "the file" : this.path, problem);
  }

  /** `format: path`, for other errors. */
  label(): string {
    return `${this.format} ${this.path}`;
  }

  private wrong(expected: string): FormatError {
    return this.error(
      this.value === undefined ? `is missing; expected ${expected}` : `expected ${expected}, got ${kind(this.value)}`,
    );
  }
}

/** Parses JSON text. @throws FormatError when it is not JSON. */
export function parseJson(text: string, format: string): JsonField {
  try {
    return new JsonField(JSON.parse(text), "", format);
  } catch (error) {
    throw new FormatError(
      format,
      "the file",
      `is not JSON: ${error instanceof Error ? error.message.slice(0, 120) : error}`,
    );
  }
}

function kind(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : String(value);
}
