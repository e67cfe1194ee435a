/** A web site on this machine for `bench/browser.ts`: folders, and one cross-origin isolated page that may have threads. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".wasm": "application/wasm",
  ".html": "text/html",
};
const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/**
 * @param page - what `/` answers
 * @param folders - what `/<name>/…` answers, by name
 */
export async function serve(
  page: string,
  folders: Readonly<Record<string, string>>,
): Promise<{ readonly address: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url!, "http://localhost").pathname);
    if (path === "/") return void response.writeHead(200, { ...isolation, "Content-Type": "text/html" }).end(page);
    const [, folder = "", ...rest] = path.split("/");
    const file = join(folders[folder] ?? "/nowhere", ...rest);
    const bytes = await stat(file).then(
      (found) => (found.isFile() ? found.size : undefined),
      () => undefined,
    );
    if (bytes === undefined) return void response.writeHead(404, isolation).end("not found");
    const type = types[extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { ...isolation, "Content-Type": type, "Content-Length": bytes });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close };
}
