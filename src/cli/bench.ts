/** `hitherto bench`: how fast a model loads, reads and writes on this machine. */
import { type Command, Option } from "commander";
import { wholeNumber } from "./flags.js";
import { type Measurement, measure, peakMemoryBytes } from "./measure.js";
import { addModelFlags, given, loadFor, type ModelFlags, progressFor } from "./model-flags.js";
import { type ModelProfile, profileModel } from "./profile.js";
import { profileTable } from "./profile-table.js";
import type { Terminal } from "./terminal.js";

export interface BenchFlags extends ModelFlags {
  readonly prefill: number;
  readonly decode: number;
  readonly repeat: number;
  readonly profile?: boolean;
}

interface BenchResult extends Measurement {
  readonly loadMs: number;
  readonly peakMemoryBytes: number;
  readonly backend: string;
  readonly instructionSet: string;
  readonly threads: number;
  readonly profile?: ModelProfile;
}

const afterHelp = `
The prompt is of random token ids (for an encoder-decoder model, the source).
One run warms up and is not counted; the rates and the time to first token are
medians of the others. The context length is what a run needs, unless given.

  loadMs                  milliseconds to load the model, once
  prefillTokensPerSecond  prompt tokens / time until the logits after the last
  decodeTokensPerSecond   greedy decode steps / their time, the first token not
                          among them
  timeToFirstTokenMs      milliseconds from the prompt's ids to the first token
  peakMemoryBytes         most memory this process has had in use at one time

With --json, one object of these and "backend", "instructionSet", "threads";
with --profile, "profile" too.

--profile measures what the machine can do (memory, working set: bytes read,
of a large buffer and of one as large as the weights; float32 and int8
arithmetic), then runs prefill and decode again and times each instruction of
the decoder. For each kind (linear maps by storage type) it prints calls and
time in one run, bytes that had to be read or written and operations per
second, and the limit that it is nearest to. The decode bound is the bytes of
weights and cache that a token reads, over the bandwidth of the working set.`;

export function addBench(program: Command, terminal: Terminal): void {
  const command = program.command("bench").description("measure load time, prefill, decode and memory");
  const count = (flag: string, value: string, help: string, initial: number) =>
    new Option(`${flag} <${value}>`, help).default(initial).argParser(wholeNumber(flag, 1));
  addModelFlags(command)
    .addOption(count("--prefill", "N", "tokens in the prompt", 512))
    .addOption(count("--decode", "N", "tokens to decode after the first", 64))
    .addOption(count("--repeat", "N", "runs to take the median of", 5))
    .option("--profile", "also tell where the time goes, beside the machine's limits (default: off)")
    .option("--json", "print one JSON object (default: a readable summary)")
    .addHelpText("after", afterHelp)
    .action((flags: BenchFlags) => bench(flags, terminal));
}

export async function bench(flags: BenchFlags, terminal: Terminal): Promise<void> {
  const { prefill, decode, repeat } = flags;
  const start = performance.now();
  await using model = await loadFor(flags, terminal, { contextLength: prefill + decode + 1 });
  const loadMs = performance.now() - start;
  const progress = progressFor(flags, terminal, "measuring");
  try {
    const onProgress = (done: number, total: number) => progress.update(done, total);
    const measurement = await measure(model, { prefill, decode, repeat, signal: terminal.signal, onProgress });
    progress.clear();
    const peakMemory = peakMemoryBytes(); // before measuring the machine, which takes a large buffer
    const profile = flags.profile
      ? await profileModel(model, { prefill, decode, repeat, signal: terminal.signal, onProgress })
      : undefined;
    progress.clear();
    const { name, instructionSet, threads } = model.engine.network.backend;
    const machine = { peakMemoryBytes: peakMemory, backend: name, instructionSet, threads };
    const result = { loadMs, ...measurement, ...machine, ...given({ profile }) };
    if (flags.json) await terminal.printJson(result);
    else
      await terminal.print(
        summary(result, flags) + (profile === undefined ? "" : profileTable(profile, { ...result, prefill })),
      );
  } finally {
    progress.clear();
  }
}

function summary(result: BenchResult, { prefill, decode, repeat }: BenchFlags): string {
  const { backend, instructionSet, threads } = result;
  return [
    `backend              ${backend}, ${instructionSet}, ${threads} threads`,
    `load                 ${result.loadMs.toFixed(0)} ms`,
    `prefill              ${result.prefillTokensPerSecond.toFixed(1)} tokens/s over ${prefill}`,
    `decode               ${result.decodeTokensPerSecond.toFixed(1)} tokens/s over ${decode}`,
    `time to first token  ${result.timeToFirstTokenMs.toFixed(1)} ms`,
    `peak memory          ${(result.peakMemoryBytes / 1e6).toFixed(1)} MB`,
    `medians of ${repeat} runs\n`,
  ].join("\n");
}
