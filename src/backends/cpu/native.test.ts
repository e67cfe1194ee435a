/** The native backend passes the conformance suite, and gives one answer whatever computes it. */
import { describe, expect, test } from "vitest";
import { OutOfRangeError, UnsupportedError } from "../../core/errors.js";
import { describeConformance, describeSameBits } from "../conformance/conformance.js";
import { CpuBackend } from "./cpu-backend.js";
import {
  createNativeRuntime,
  type NativeRuntimeOptions,
  nativeInstructionSets,
  whyNoNativeRuntime,
} from "./native-runtime.node.js";

const sets = nativeInstructionSets();
const make = (options: NativeRuntimeOptions) => async () => new CpuBackend(createNativeRuntime(options)!);

describe.skipIf(sets.length === 0)(`native runtime (${whyNoNativeRuntime() ?? "built"})`, () => {
  const best = sets.at(-1)!;
  describeConformance(`native ${best}, 1 thread`, make({ instructionSet: best, threads: 1 }));

  for (const set of sets.slice(0, -1)) {
    describeSameBits(
      `native ${set} and ${best}`,
      make({ instructionSet: set, threads: 1 }),
      make({ instructionSet: best, threads: 1 }),
    );
  }
  describeSameBits("native, 1 thread and 3", make({ threads: 1 }), make({ threads: 3 }));

  test("options that make no sense are errors", () => {
    expect(() => createNativeRuntime({ threads: 0 })).toThrow(OutOfRangeError);
    expect(() => createNativeRuntime({ instructionSet: "avx9000" })).toThrow(UnsupportedError);
  });
});
