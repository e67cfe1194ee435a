/** Goes on with saved sessions in a process of its own, which has the compiled package alone. */
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { LoadModelOptions } from "../../src/load-model.node.js";
import { builtCommand } from "../built-cli.js";

/** What a restored session did next. */
export interface Continuation {
  /** Tokens that were run for the first step. */
  readonly run: number;
  readonly tokens: readonly number[];
  /** The bits of the logits after them. */
  readonly logits: readonly number[];
}

const program = `
const [entry, checkpoint, places] = process.argv.slice(1);
const { loadModel, restoreSession } = await import(entry);
const continuations = [];
for (const { options, path } of JSON.parse(places)) {
  const model = await loadModel(checkpoint, options);
  const session = await restoreSession(model, path);
  let run = 0;
  const { token } = await session.step({ onProgress: (done) => { run = done; } });
  const tokens = [token, ...(await session.take(19))];
  const logits = (await session.logits()).slice();
  continuations.push({ run, tokens, logits: [...new Uint32Array(logits.buffer)] });
  session.dispose();
  await model.dispose();
}
process.stdout.write(JSON.stringify(continuations));
`;

export function restoreElsewhere(
  checkpoint: string,
  places: readonly { readonly options: LoadModelOptions; readonly path: string }[],
): Continuation[] {
  const entry = pathToFileURL(join(dirname(dirname(builtCommand())), "index.node.js")).href;
  const words = ["--input-type=module", "-e", program, entry, checkpoint, JSON.stringify(places)];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: "utf8", maxBuffer: 64 * 2 ** 20 }));
}
