/** The WebAssembly runtime in a browser: modules by `fetch`, threads from `Worker` on cross-origin isolated pages. */
import { InternalError } from "../../core/errors.js";
import {
  presentInstructionSets,
  threadSource,
  type WasmHost,
  type WasmInstructionSet,
  type WasmThread,
  type WasmThreadData,
} from "./wasm-host.js";

const workerSource = `
onmessage = ({ data }) => (${threadSource})(data, () => postMessage("ready"));`;

export class BrowserWasmHost implements WasmHost {
  readonly maySleep = typeof document === "undefined"; // true inside a worker
  readonly maximumThreads = globalThis.crossOriginIsolated ? 64 : 1;

  /** @param location - where the package's `dist/wasm/` files are served, with a slash at the end. */
  constructor(readonly location: string | URL) {}

  module(set: WasmInstructionSet): Promise<WebAssembly.Module> {
    return WebAssembly.compileStreaming(fetch(new URL(`${set}.wasm`, this.location)));
  }

  instructionSets(): readonly WasmInstructionSet[] {
    return presentInstructionSets();
  }

  /** By a message, for timers of browsers wait 4 ms. */
  turn(): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    return new Promise((resolve) => {
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(undefined);
    });
  }

  async startThread(data: WasmThreadData): Promise<WasmThread> {
    const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
    const worker = new Worker(url, { name: `hitherto ${data.index + 1}` });
    try {
      await new Promise<void>((resolve, reject) => {
        worker.onmessage = () => resolve();
        worker.onerror = (event) => reject(new InternalError(event.message));
        worker.postMessage(data);
      });
    } finally {
      URL.revokeObjectURL(url);
    }
    return {
      async stop() {
        worker.terminate();
      },
    };
  }
}
