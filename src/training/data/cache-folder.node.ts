/** Where tokenized data is kept when nobody says where: the place that the system has for caches of this user. */
import { homedir } from "node:os";
import { join } from "node:path";

/** `~/.cache/hitherto/data`, or what the system has in its place. */
export function defaultCacheFolder(): string {
  return join(userCacheFolder(), "hitherto", "data");
}

function userCacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (XDG_CACHE_HOME) return XDG_CACHE_HOME;
  if (process.platform === "win32" && LOCALAPPDATA) return LOCALAPPDATA;
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches");
  return join(homedir(), ".cache");
}
