import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { fingerprint, readSources } from "../../../tools/sources.js";
import { kernelsFingerprint, whyStale } from "./native-sources.node.js";

test("an addon's build and its loading take the same fingerprint of the sources", () => {
  const kernels = fileURLToPath(new URL("../../../kernels", import.meta.url));
  expect(kernelsFingerprint()).toBe(fingerprint(readSources(kernels)));
});

test("any change of a source, of its name or of their number is another fingerprint", () => {
  const folder = join(mkdtempSync(join(tmpdir(), "hitherto-")), "kernels");
  mkdirSync(folder);
  const found = new Set<string | undefined>();
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    found.add(kernelsFingerprint(folder));
  };
  write("a.c", "int a;");
  write("a.c", "int b;");
  write("b.h", "");
  write("notes.txt", "no source");
  expect(found.size).toBe(3);
  rmSync(folder, { recursive: true });
  expect(kernelsFingerprint(folder)).toBeUndefined();
});

test("an addon from other sources is refused, and one that nobody can tell about is not", () => {
  expect(whyStale("0123", "4567")).toMatch(/build it again/);
  expect(whyStale("4567", "4567")).toBeUndefined();
  expect(whyStale("", "4567")).toBeUndefined();
  expect(whyStale(undefined, "4567")).toBeUndefined();
  expect(whyStale("0123", undefined)).toBeUndefined();
});
