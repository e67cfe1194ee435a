/** Texts that come as lines of a file. */
import { readFile } from "node:fs/promises";
import { FileNotFoundError } from "../core/errors.js";
import type { Terminal } from "./terminal.js";

/** A whole text file, UTF-8; "-" is standard input. @throws FileNotFoundError */
export async function readText(file: string, terminal: Terminal): Promise<string> {
  if (file === "-") return terminal.readInput();
  return readFile(file, { encoding: "utf8", signal: terminal.signal }).catch((error: NodeJS.ErrnoException) => {
    terminal.signal.throwIfAborted();
    throw new FileNotFoundError(file, "a readable text file", error.code);
  });
}

/** The lines of a text, without their ends; a line break at the very end begins no further line. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
