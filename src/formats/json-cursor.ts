/**
 * A strict reader of JSON that a stranger wrote, for headers with a known schema.
 *
 * Unlike `JSON.parse` it sees duplicate keys, builds nothing that was not asked for, and limits nesting (RFC 8259).
 */
import { FormatError } from "../core/errors.js";

/** Levels of nesting that `skipValue` passes over. */
const deepest = 64;
/** Members of an object where the caller sets no other limit. */
const mostMembers = 65_536;
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const integerPattern = /-?(?:0|[1-9]\d{0,16})(?![\d.eE])/y;

export class JsonCursor {
  private at = 0;

  /**
   * @param format - for errors, such as `"safetensors"`.
   * @param part - for errors: what `text` is in the file, such as `"header"`.
   */
  constructor(
    private readonly text: string,
    private readonly format: string,
    private readonly part: string,
    private readonly path: string,
  ) {}

  /**
   * Calls `member` for each key of an object, with the cursor at the value, which `member` must take.
   *
   * @param most - an object with more members is refused: each takes more memory than it does in the file.
   */
  object(field: string, member: (key: string) => void, most: number = mostMembers): void {
    const seen = new Set<string>();
    this.list("{", "}", field, () => {
      const key = this.string(field);
      if (seen.has(key)) this.fail(field, `key ${JSON.stringify(key.slice(0, 80))} stands twice`);
      if (seen.add(key).size > most) this.fail(field, `more than ${most} members`);
      this.take(":", field);
      member(key);
    });
  }

  /** Calls `element` for each element of an array, with the cursor at it. */
  array(field: string, element: () => void): void {
    this.list("[", "]", field, element);
  }

  string(field: string): string {
    this.take('"', field);
    const start = this.at;
    let escaped = false;
    for (; ; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code === 0x22) break;
      if (code === 0x5c) {
        escaped = true;
        this.at++;
      } else if (!(code >= 0x20)) {
        this.fail(field, this.at >= this.text.length ? "a string has no end" : "a control character in a string");
      }
    }
    const raw = this.text.slice(start, this.at++);
    return escaped ? this.unescape(raw, field) : raw;
  }

  /** A whole number that a double holds exactly. */
  integer(field: string): number {
    this.skipSpace();
    integerPattern.lastIndex = this.at;
    const value = Number(integerPattern.exec(this.text)?.[0] ?? Number.NaN);
    if (!Number.isSafeInteger(value)) this.fail(field, "a whole number below 2^53 expected");
    this.at = integerPattern.lastIndex;
    return value + 0; // never −0
  }

  /** Passes over a value of any kind. */
  skipValue(field: string, depth = 0): void {
    if (depth > deepest) this.fail(field, `nested more than ${deepest} deep`);
    this.skipSpace();
    const first = this.text[this.at];
    if (first === "{") this.object(field, () => this.skipValue(field, depth + 1));
    else if (first === "[") this.array(field, () => this.skipValue(field, depth + 1));
    else if (first === '"') this.string(field);
    else if (!this.skipWord()) this.fail(field, "a JSON value expected");
  }

  /** @throws FormatError unless only spaces are left. */
  end(): void {
    this.skipSpace();
    if (this.at < this.text.length) this.fail(this.part, "something follows the JSON value");
  }

  fail(field: string, problem: string): never {
    const where = field === this.part ? field : `${this.part}, ${field}`;
    throw new FormatError(this.format, where, `${problem} (character ${this.at})`, this.path);
  }

  private list(open: string, close: string, field: string, item: () => void): void {
    this.take(open, field);
    this.skipSpace();
    if (this.text[this.at] === close) {
      this.at++;
      return;
    }
    for (;;) {
      item();
      this.skipSpace();
      if (this.text[this.at] === close) break;
      this.take(",", field);
    }
    this.at++;
  }

  private take(character: string, field: string): void {
    this.skipSpace();
    if (this.text[this.at] !== character) this.fail(field, `${character} expected`);
    this.at++;
  }

  private skipWord(): boolean {
    for (const word of ["true", "false", "null"]) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return true;
      }
    }
    numberPattern.lastIndex = this.at;
    if (!numberPattern.test(this.text)) return false;
    this.at = numberPattern.lastIndex;
    return true;
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.at++;
    }
  }

  private unescape(raw: string, field: string): string {
    try {
      return JSON.parse(`"${raw}"`);
    } catch {
      return this.fail(field, "a string has a bad escape");
    }
  }
}
