/** The WebAssembly runtime, with every instruction set that there is. simd128 has no fused multiply-add, so its bits differ. */
import { CpuBackend } from "../cpu/cpu-backend.js";
import { NodeWasmHost } from "../cpu/wasm-host.node.js";
import { createWasmRuntime } from "../cpu/wasm-runtime.js";
import { describeConformance, describeSameBits } from "./conformance.js";

const host = new NodeWasmHost();

async function wasm(instructionSet: string, threads: number): Promise<CpuBackend> {
  return new CpuBackend(await createWasmRuntime(host, { instructionSet, threads }));
}

for (const set of host.instructionSets()) {
  describeConformance(`wasm ${set}`, () => wasm(set, 1));
  describeSameBits(
    `wasm ${set}, 1 thread and 2`,
    () => wasm(set, 1),
    () => wasm(set, 2),
  );
}
