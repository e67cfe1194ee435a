/** Options as JSON and back: numbers that JSON has no signs for are written as objects with the one key "$". */
import { FormatError, UnsupportedError } from "../../core/errors.js";
import { sessionFormat } from "./format.js";

/** Options are not nested deeper than this. */
const deepest = 16;

/** @throws UnsupportedError for a function, and whatever else is not plain data */
export function plainOptions(value: unknown, where = "options"): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? value : { $: String(value) };
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    return Array.from(value as ArrayLike<unknown>, (each, i) => plainOptions(each, `${where}[${i}]`));
  }
  if (typeof value !== "object") throw new UnsupportedError(`saving a session with ${where}`, typeof value, ["data"]);
  const entries = Object.entries(value as object).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries.map(([key, each]) => [key, plainOptions(each, `${where}.${key}`)]));
}

/** The opposite. @throws FormatError for what is nested too deep */
export function readOptions(value: unknown, depth = 0): unknown {
  if (depth > deepest) throw new FormatError(sessionFormat, "options", `are nested deeper than ${deepest}`);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((each) => readOptions(each, depth + 1));
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]![0] === "$") return Number(entries[0]![1]);
  return Object.fromEntries(entries.map(([key, each]) => [key, readOptions(each, depth + 1)]));
}
