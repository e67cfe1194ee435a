/** One process at a time trains in a run's folder. */
import { readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HithertoError } from "../../core/errors.js";

/** Another process trains in this folder. */
export class RunBusyError extends HithertoError {
  readonly code = "RUN_BUSY";

  constructor(
    readonly folder: string,
    readonly processId: number,
  ) {
    super(
      `${folder}: process ${processId} is training there; if that is another program, remove ${join(folder, "process")}`,
    );
  }
}

/**
 * Takes the folder, and frees it when disposed. What a process that was killed has left behind is no hindrance.
 * @throws RunBusyError
 */
export function lockRun(folder: string): Disposable {
  const path = join(folder, "process");
  const holder = holderOf(path);
  if (holder !== undefined) throw new RunBusyError(folder, holder);
  writeFileSync(path, `${process.pid}\n`);
  return { [Symbol.dispose]: () => unlinkSync(path) };
}

/** The living process that the file names; undefined where there is none. */
function holderOf(path: string): number | undefined {
  try {
    const holder = Number.parseInt(readFileSync(path, "utf8"), 10);
    process.kill(holder, 0);
    return holder;
  } catch (error) {
    // Somebody else's process lives too.
    return (error as NodeJS.ErrnoException).code === "EPERM"
      ? Number.parseInt(readFileSync(path, "utf8"), 10)
      : undefined;
  }
}
