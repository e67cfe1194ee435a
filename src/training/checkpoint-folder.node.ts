/** Checkpoints in a folder of the system: `step-100`, `step-200`, … */
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Folder } from "../formats/index.js";
import { createFolder, openFolder } from "../formats/index.node.js";
import type { CheckpointStore, CreateFile } from "./checkpoint-store.js";

/**
 * A checkpoint grows in a folder of another name, is written through to the disk, and is then renamed: what bears the
 * name `step-N` is whole, whenever the process or the machine stopped.
 */
export class CheckpointFolder implements CheckpointStore {
  /** @param name - path of the folder, made with the first checkpoint */
  constructor(readonly name: string) {}

  async steps(): Promise<number[]> {
    const names: string[] = await readdir(this.name).catch(() => []);
    const steps = stepsIn(names, /^step-(\d+)$/);
    // A process that died while one took another's place: the new one never got its name, so the old one has it back.
    for (const step of stepsIn(names, /^\.step-(\d+)\.replaced$/)) {
      if (steps.includes(step)) continue;
      await rename(this.#hidden(step, "replaced"), this.placeOf(step));
      steps.push(step);
    }
    return steps.sort((a, b) => a - b);
  }

  async write(step: number, write: (create: CreateFile) => Promise<void>): Promise<void> {
    await mkdir(this.name, { recursive: true });
    await this.steps();
    await this.#removeLeftovers();
    const partial = this.#hidden(step, "partial");
    try {
      await write(await createFolder(partial));
      for (const file of await readdir(partial)) await flush(join(partial, file));
      await flush(partial);
      const replaced = this.#hidden(step, "replaced");
      const isReplacing = await renamed(this.placeOf(step), replaced);
      await rename(partial, this.placeOf(step));
      await flush(this.name);
      if (isReplacing) await rm(replaced, { recursive: true, force: true });
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      throw error;
    }
  }

  open(step: number): Promise<Folder> {
    return openFolder(this.placeOf(step));
  }

  /** Renamed first: no half of a checkpoint ever bears the name of a whole one. */
  async remove(step: number): Promise<void> {
    const gone = this.#hidden(step, "removed");
    await rm(gone, { recursive: true, force: true });
    if (await renamed(this.placeOf(step), gone)) await rm(gone, { recursive: true, force: true });
  }

  placeOf(step: number): string {
    return join(this.name, `step-${step}`);
  }

  #hidden(step: number, what: "partial" | "replaced" | "removed"): string {
    return join(this.name, `.step-${step}.${what}`);
  }

  /** What runs that were killed left behind. */
  async #removeLeftovers(): Promise<void> {
    for (const name of await readdir(this.name)) {
      if (/^\.step-\d+\.(partial|replaced|removed)$/.test(name)) {
        await rm(join(this.name, name), { recursive: true, force: true });
      }
    }
  }
}

function stepsIn(names: readonly string[], pattern: RegExp): number[] {
  return names.flatMap((name) => pattern.exec(name)?.slice(1).map(Number) ?? []);
}

/** @returns whether there was something to rename */
async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** Waits until the disk has what was written to a file, or the names in a folder. */
async function flush(path: string): Promise<void> {
  const handle = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    // Folders cannot be opened on every system; their names are then in the system's own care.
    if (error.code === "EISDIR" || error.code === "EPERM" || error.code === "EACCES") return undefined;
    throw error;
  });
  try {
    await handle?.sync();
  } catch (error) {
    if (!["EINVAL", "EPERM", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    await handle?.close();
  }
}
