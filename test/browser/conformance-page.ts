/** The conformance suite on the WebAssembly backend, as a page runs it; `vitest` is `page-tests.ts` here. */
import { describeConformance, describeSameBits } from "../../src/backends/conformance/conformance.js";
import { CpuBackend } from "../../src/backends/cpu/cpu-backend.js";
import { BrowserWasmHost } from "../../src/backends/cpu/wasm-host.browser.js";
import { createWasmRuntime } from "../../src/backends/cpu/wasm-runtime.js";
import { runTests } from "./page-tests.js";

const host = new BrowserWasmHost(new URL("/wasm/", location.href));

async function wasm(instructionSet: string, threads: number): Promise<CpuBackend> {
  const backend = new CpuBackend(await createWasmRuntime(host, { instructionSet, threads }));
  if (backend.threads !== threads) throw new Error(`${backend.threads} threads, not ${threads}`);
  return backend;
}

export function instructionSets(): readonly string[] {
  return host.instructionSets();
}

export function conformance(set: string) {
  describeConformance(set, () => wasm(set, 1));
  return runTests();
}

export function sameBits(set: string, threads: number, otherSet: string, otherThreads: number) {
  describeSameBits(
    `${set}, ${threads} threads, and ${otherSet}, ${otherThreads}`,
    () => wasm(set, threads),
    () => wasm(otherSet, otherThreads),
  );
  return runTests();
}
