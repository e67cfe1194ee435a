/** The native runtime, with every instruction set that this processor has. */
import { describe, test } from "vitest";
import { CpuBackend } from "../cpu/cpu-backend.js";
import { createNativeRuntime, nativeInstructionSets, whyNoNativeRuntime } from "../cpu/native-runtime.node.js";
import { describeConformance, describeSameBits } from "./conformance.js";

const reason = whyNoNativeRuntime();

async function native(instructionSet: string, threads: number): Promise<CpuBackend> {
  return new CpuBackend(createNativeRuntime({ instructionSet, threads })!);
}

if (reason !== undefined) {
  describe("native backend", () => {
    test.skip(`left out: ${reason}`, () => {});
  });
}

for (const set of nativeInstructionSets()) {
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
