/** A small web site for tests: the package bundled, its WebAssembly files, a model, and an empty page. */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Rolldown } from "vite";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const types: Readonly<Record<string, string>> = {
  js: "text/javascript",
  wasm: "application/wasm",
  json: "application/json",
  html: "text/html",
};

/** The browser's entry as one module. */
export async function bundledPackage(): Promise<string> {
  const result = await build({
    configFile: false,
    root,
    logLevel: "silent",
    build: { write: false, lib: { entry: join(root, "src/index.ts"), formats: ["es"], fileName: "hitherto" } },
  });
  const [{ output }] = (Array.isArray(result) ? result : [result]) as [Rolldown.RolldownOutput];
  return output[0].code;
}

const page = `<!doctype html>
<title>test</title>
<script type="module">
  import * as hitherto from "/hitherto.js";
  globalThis.hitherto = hitherto;
</script>`;

/**
 * Serves `/hitherto.js`, `/wasm/…`, `/models/…`, `/fixtures/…` and the page `/`; `/plain` is the page without the
 * headers that allow threads.
 */
export async function serveSite(code: string): Promise<{ address: string; close(): Promise<void> }> {
  const folders = {
    wasm: join(root, "dist/wasm"),
    models: join(root, "models"),
    fixtures: join(root, "test/parity/fixtures"),
  };
  const server = createServer((request, response) => {
    const path = new URL(request.url!, "http://localhost").pathname;
    const isolated = path !== "/plain";
    const headers = isolated
      ? { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" }
      : {};
    const send = (status: number, body: string | Uint8Array, type = "") =>
      response.writeHead(status, { ...headers, "Content-Type": types[type] ?? "application/octet-stream" }).end(body);
    const [, folder = "", ...rest] = path.split("/");
    if (path === "/" || path === "/plain") return void send(200, page, "html");
    if (path === "/hitherto.js") return void send(200, code, "js");
    const file = join(folders[folder as keyof typeof folders] ?? "/nowhere", ...rest);
    readFile(file).then(
      (body) => send(200, body, file.split(".").at(-1)),
      () => send(404, "not found"),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
