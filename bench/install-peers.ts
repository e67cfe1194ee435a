/** Installs what Hitherto is compared with into `bench/peers`, once; `npm ci` never does. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

export const peersFolder = resolve(import.meta.dirname, "..", "..", "bench", "peers");

/** @returns the folder of one of the packages that `bench/peers/package.json` names */
export async function installedPeer(name: string): Promise<string> {
  const folder = join(peersFolder, "node_modules", name);
  if (existsSync(folder)) return folder;
  console.error(`installing ${name} into bench/peers …`);
  await promisify(execFile)("npm", ["install", "--no-audit", "--no-fund"], { cwd: peersFolder });
  return folder;
}
