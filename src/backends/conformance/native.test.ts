/** The native runtime, with every instruction set that this processor has. */
import { expect, test } from "vitest";
import { describeUnless } from "../../../test/support/describe-unless.js";
import { CpuBackend } from "../cpu/cpu-backend.js";
import { createNativeRuntime, nativeInstructionSets, whyNoNativeRuntime } from "../cpu/native-runtime.node.js";
import { describeConformance, describeSameBits } from "./conformance.js";

async function native(instructionSet: string, threads: number): Promise<CpuBackend> {
  return new CpuBackend(createNativeRuntime({ instructionSet, threads })!);
}

const present = nativeInstructionSets();
describeUnless(whyNoNativeRuntime(), "native backend", () => {
  test("has instruction sets", () => expect(present).not.toEqual([]));
});

for (const set of present) {
  describeConformance(`native ${set}`, () => native(set, 1));
  describeSameBits(
    `native ${set}, 1 thread and 2`,
    () => native(set, 1),
    () => native(set, 2),
  );
  if (set !== "scalar") {
    describeSameBits(
      `native scalar and ${set}`,
      () => native("scalar", 1),
      () => native(set, 1),
    );
  }
}
