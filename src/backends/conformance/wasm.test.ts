/** The WebAssembly runtime, with every instruction set that there is. simd128 has no fused multiply-add, so its bits differ. */
import { setFlagsFromString } from "node:v8";
import { expect, test } from "vitest";
import { describeUnless } from "../../../test/support/describe-unless.js";
import { CpuBackend } from "../cpu/cpu-backend.js";
import type { WasmHost, WasmInstructionSet } from "../cpu/wasm-host.js";
import { NodeWasmHost } from "../cpu/wasm-host.node.js";
import { createWasmRuntime } from "../cpu/wasm-runtime.js";
import { linearCase } from "./cases/linear.js";
import { describeConformance, describeSameBits } from "./conformance.js";
import type { ConformanceCase } from "./fixture.js";
import { firstDifferentBits, type Measured, measure } from "./measure.js";

const host = new NodeWasmHost();

async function wasm(instructionSet: string, threads: number, from: WasmHost = host): Promise<CpuBackend> {
  return new CpuBackend(await createWasmRuntime(from, { instructionSet, threads }));
}

for (const set of host.instructionSets()) {
  describeConformance(`wasm ${set}`, () => wasm(set, 1));
  describeSameBits(
    `wasm ${set}, 1 thread and 2`,
    () => wasm(set, 1),
    () => wasm(set, 2),
  );
}

/**
 * Claims all instruction sets. Relaxed dot products are exact on every processor where weights have 7 bits; only the
 * baseline compiler of V8 11.3 (Node 20) loses what they are added to, so it is switched off.
 */
class BoldHost extends NodeWasmHost {
  override instructionSets(): readonly WasmInstructionSet[] {
    setFlagsFromString("--no-liftoff");
    return [...super.instructionSets(), "relaxed_dot", "relaxed_signed_dot"];
  }
}

/** The case with Q8_0 weights from -128 to -1 (`bit` 128), or from 0 to 127 (0), and no scale below zero. */
function withSignBit(each: ConformanceCase, bit: number): ConformanceCase {
  const build: ConformanceCase["build"] = (fixture) => {
    const output = each.build(fixture);
    const { bytes } = fixture.matrices.get("weight")!;
    for (let i = 0; i < bytes.length; i++) if (i % 34 >= 1) bytes[i] = (bytes[i]! & 0x7f) | (i % 34 > 1 ? bit : 0);
    return output;
  };
  return { ...each, build };
}

const relaxed = host.instructionSets().includes("relaxed_simd");
describeUnless(relaxed ? undefined : "this engine has no relaxed SIMD", "wasm relaxed dot products", () => {
  const sizes = [1, 2, 3, 4, 5, 6, 17].map((rows) => ({ rows, width: 288, out: 41, bias: rows === 5 }));

  test.each([
    ["relaxed_dot", 128],
    ["relaxed_signed_dot", 0],
  ] as const)("%s: the bits of relaxed_simd", async (set, bit) => {
    const [usual, other] = [await wasm("relaxed_simd", 1), await wasm(set, 1, new BoldHost())];
    for (const size of sizes) {
      for (const each of [withSignBit(linearCase("q8_0", size), bit), linearCase("q4_0", size)]) {
        const [expected, actual] = [await measure(usual, each), await measure(other, each)];
        const [{ values: wanted }] = expected as [Measured];
        expect(firstDifferentBits(actual[0]!.values, wanted), `${each.title}: first different element`).toBe(-1);
        expect(wanted.some((value) => value !== 0)).toBe(true);
      }
    }
    await Promise.all([usual.dispose(), other.dispose()]);
  });
});
