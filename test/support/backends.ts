/** The backends that this machine can run: all of them, but native only where it was built. */
import { whyNoNativeRuntime } from "../../src/backends/cpu/native-runtime.node.js";
import { type BackendName, backendNames } from "../../src/load-model.node.js";

export const availableBackends: readonly BackendName[] = backendNames.filter(
  (name) => name !== "native" || whyNoNativeRuntime() === undefined,
);

if (!availableBackends.includes("native")) console.warn(`no tests of the native backend: ${whyNoNativeRuntime()}`);
