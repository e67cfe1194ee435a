/** The WebAssembly runtime in Node: modules from the package's own folder, threads from `node:worker_threads`. */
import { readFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import {
  presentInstructionSets,
  threadSource,
  validatesRelaxedSimd,
  type WasmHost,
  type WasmInstructionSet,
  type WasmThread,
  type WasmThreadData,
} from "./wasm-host.js";

const workerSource = `
const { parentPort, workerData } = require("node:worker_threads");
(${threadSource})(workerData, () => parentPort.postMessage("ready"));`;

/** `dist/wasm/`, seen from `src/backends/cpu/` and from `dist/backends/cpu/` alike. */
const modules = new URL("../../../dist/wasm/", import.meta.url);

export class NodeWasmHost implements WasmHost {
  readonly maySleep = true;
  readonly maximumThreads = 64;
  readonly #modules = new Map<WasmInstructionSet, Promise<WebAssembly.Module>>();

  module(set: WasmInstructionSet): Promise<WebAssembly.Module> {
    const loading = this.#modules.get(set) ?? readFile(new URL(`${set}.wasm`, modules)).then(WebAssembly.compile);
    this.#modules.set(set, loading);
    return loading;
  }

  /** Node 20 has relaxed SIMD behind a flag, later versions have it at once. */
  instructionSets(): readonly WasmInstructionSet[] {
    if (!validatesRelaxedSimd() && process.versions.node.startsWith("20.")) {
      setFlagsFromString("--experimental-wasm-relaxed-simd");
    }
    return presentInstructionSets();
  }

  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  async startThread(data: WasmThreadData): Promise<WasmThread> {
    const worker = new Worker(workerSource, { eval: true, workerData: data, name: `hitherto ${data.index + 1}` });
    await new Promise<void>((resolve, reject) => worker.once("message", resolve).once("error", reject));
    worker.unref();
    return {
      async stop() {
        await worker.terminate();
      },
    };
  }
}
