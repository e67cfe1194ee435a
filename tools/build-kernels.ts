/**
 * Builds the C runtime: the native addon where there is a C compiler, the WebAssembly modules always.
 *
 * `node dist/tools/build-kernels.js [native] [wasm]`; without arguments, both. A missing or failing C compiler is
 * reported and is no failure, for WebAssembly serves; HITHERTO_REQUIRE_NATIVE=1 makes it one.
 *
 * The published package has this file and the sources of the runtime, and WebAssembly but no addon: `native` builds it
 * there too.
 */
import { buildNative } from "./native.js";

async function native(): Promise<boolean> {
  const outcome = await buildNative();
  if (outcome.kind === "left out") {
    console.log(`${outcome.reason}: the native backend is left out, WebAssembly serves`);
    return false;
  }
  if (outcome.kind === "failed") {
    console.error(outcome.output.trimEnd());
    console.error("the C compiler failed: the native backend is left out, WebAssembly serves");
    return false;
  }
  console.log(`native backend: ${outcome.kind}`);
  if (outcome.kind === "built" && outcome.without.length > 0)
    console.log(`left out, for the C compiler does not know them: ${outcome.without.join(", ")}`);
  return true;
}

async function wasm(): Promise<void> {
  try {
    // Only this needs the compiler to WebAssembly, which an installed package does not have.
    const { buildWasm } = await import("./wasm.js");
    console.log(`WebAssembly backend: ${await buildWasm()}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

const targets = process.argv.slice(2);
const wanted = (target: string) => targets.length === 0 || targets.includes(target);
const [nativeBuilt] = await Promise.all([wanted("native") ? native() : true, wanted("wasm") ? wasm() : undefined]);
if (!nativeBuilt && process.env.HITHERTO_REQUIRE_NATIVE === "1") process.exitCode = 1;
