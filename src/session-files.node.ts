/** Saved sessions as files. */
import { open, readFile, rename, rm } from "node:fs/promises";
import { FileNotFoundError } from "./core/errors.js";
import type { Model } from "./generation/model.js";
import type { RestoreOptions } from "./generation/saved/restore.js";
import type { Session } from "./generation/session.js";

/**
 * Writes a session to a file (`Session.save`), which is whole or not there: an older one of that name stays until then.
 * @throws what `Session.save` throws, FileNotFoundError where the file cannot be written
 */
export async function saveSession(session: Session, path: string): Promise<void> {
  const bytes = await session.save();
  const partial = `${path}.partial`;
  try {
    const file = await open(partial, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    throw new FileNotFoundError(path, "a place for a saved session", codeOf(error));
  }
}

/** A session from a file that `saveSession` wrote. @throws FileNotFoundError, and what `Model.restore` throws */
export async function restoreSession(model: Model, path: string, options: RestoreOptions = {}): Promise<Session> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new FileNotFoundError(path, "a saved session", codeOf(error));
  }
  return model.restore(bytes, options);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "EIO";
}
