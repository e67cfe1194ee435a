/** A small web site for tests: the package bundled, its WebAssembly files, a model, and an empty page. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { build, type Rolldown } from "vite";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const types: Readonly<Record<string, string>> = {
  js: "text/javascript",
  wasm: "application/wasm",
  json: "application/json",
  html: "text/html",
};

/**
 * A module and all that it imports, as one module; the browser's entry of the package unless given.
 * @param alias - files to take in place of packages, by name
 */
export async function bundled(entry = "src/index.ts", alias: Readonly<Record<string, string>> = {}): Promise<string> {
  const result = await build({
    configFile: false,
    root,
    logLevel: "silent",
    resolve: { alias: Object.fromEntries(Object.entries(alias).map(([name, file]) => [name, join(root, file)])) },
    build: { write: false, lib: { entry: join(root, entry), formats: ["es"], fileName: "hitherto" } },
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

export const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium"].find(
  (path) => path !== undefined && existsSync(path),
);

/** Why nothing can be tested in a page; undefined where there is a browser. */
export const whyNoPage = executablePath === undefined ? "no Chromium; name one with CHROMIUM" : undefined;

/** Chromium without a window; `executablePath` must be there. */
export function launchChromium(): Promise<Browser> {
  const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
  return chromium.launch({ executablePath, args });
}

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
