/** The native addon's build where a C compiler is too old for an instruction set. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { findCompiler, knowsFlags, withoutFlags } from "../tools/native.js";
import { nativeInstructionSets } from "../tools/sources.js";
import { describeUnless } from "./support/describe-unless.js";

const compiler = findCompiler()?.command;
const sets = nativeInstructionSets.x64!;
const scratch = mkdtempSync(join(tmpdir(), "hitherto-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The compiler at hand, as it was before it knew `flag`. */
function olderCompiler(flag: string): string {
  const path = join(scratch, `cc-without${flag}`);
  const refuse = `case " $* " in *" ${flag} "*) echo "unrecognized option ${flag}" >&2; exit 1;; esac`;
  writeFileSync(path, `#!/bin/sh\n${refuse}\nexec ${compiler} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

/** The sets whose kernels `native.c` asks the linker for. */
function setsAskedFor(flags: readonly string[]): string[] {
  const object = join(scratch, "native.o");
  const source = fileURLToPath(new URL("../kernels/native.c", import.meta.url));
  const compiled = spawnSync(compiler!, ["-std=gnu11", "-fPIC", ...flags, "-c", source, "-o", object], {
    encoding: "utf8",
  });
  expect(compiled.stderr).toBe("");
  const symbols: readonly string[] = readFileSync(object, "latin1").match(/(?<=hh_operations_)\w+/g) ?? [];
  return sets.map(({ name }) => name).filter((name) => symbols.includes(name));
}

const here = `${process.platform}-${process.arch}`;
const otherwise = here === "linux-x64" ? undefined : `the addon of ${here} is another`;

describeUnless(compiler === undefined ? "there is no C compiler" : otherwise, "native build", () => {
  test.each([
    ["-mamx-tile", ["amx"]],
    ["-mavx512vnni", ["avx512_vnni", "amx"]],
    ["-mavx512f", ["avx512", "avx512_vnni", "amx"]],
    ["-mf16c", ["avx2", "avx512", "avx512_vnni", "amx"]],
  ])("a compiler that does not know %s builds the rest", (flag, without) => {
    const older = olderCompiler(flag);
    // What the compiler at hand does not know is left out as well.
    const known = sets.filter((set) => knowsFlags(compiler!, set.flags)).map(({ name }) => name);
    const left = sets.filter((set) => knowsFlags(older, set.flags)).map(({ name }) => name);
    expect(left).toEqual(known.filter((name) => !without.includes(name)));
    const others = sets.map(({ name }) => name).filter((name) => !without.includes(name));
    expect(setsAskedFor(withoutFlags(without))).toEqual(others);
  });

  test("a compiler that knows them all leaves none out", () => {
    expect(setsAskedFor(withoutFlags([]))).toEqual(sets.map(({ name }) => name));
  });
});
