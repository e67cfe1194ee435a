/** `hitherto generate [prompt]`: streams a completion to standard output. */
import { type Command, Option } from "commander";
import type { GenerationOptions, GenerationStep } from "../generation/generate.js";
import type { Model } from "../generation/model.js";
import type { StopReason } from "../generation/stopping.js";
import { loadAdapter } from "../load-model.node.js";
import { type ConstraintFlags, constraintOf, constraintOptions } from "./constraint-flags.js";
import { type ContextFlags, contextOptions, contextOptionsOf } from "./context-flags.js";
import { texts, wholeNumber } from "./flags.js";
import { type GuideFlags, guideOptions, guidesOf } from "./guide-flags.js";
import { addModelFlags, given, loadWithTokenizer, type ModelFlags } from "./model-flags.js";
import { penaltiesOf, type SamplingFlags, samplingOf, samplingOptions } from "./sampling-flags.js";
import {
  checkSpeculationFlags,
  type SpeculationFlags,
  speculationLine,
  speculationOf,
  speculationOptions,
} from "./speculation-flags.js";
import { InterruptedError, type Terminal } from "./terminal.js";

export interface GenerateFlags
  extends ModelFlags,
    SamplingFlags,
    ConstraintFlags,
    ContextFlags,
    SpeculationFlags,
    GuideFlags {
  readonly maxTokens: number;
  readonly stop?: readonly string[];
  readonly adapter?: string;
  readonly echo?: boolean;
  readonly verbose?: boolean;
}

const afterHelp = `
The prompt comes from standard input where it is "-", or absent while standard
input is no terminal; one line break at its end is taken off. With neither, the
model begins by itself. For an encoder-decoder model it is the source text.

What no flag says is as the checkpoint's generation_config.json says; where that
says nothing the likeliest token is taken each time (--temperature 0). Filters
apply in the order temperature, top-k, top-p, min-p, typical-p; with --order
llama.cpp top-k, typical-p, top-p, min-p, temperature. Penalties come before.

Of --json-schema, --regex, --choice and --grammar one can be given: tokens that
would lead away from it are never taken, and the completion ends where nothing
may follow. See docs/constrained-output.md.

With --draft or --lookup several tokens come from one run of the model where they
were guessed right. A greedy completion is the same to the bit; a drawn one has
the same distribution. It switches itself off where it does not pay; --verbose
says what it gained. See docs/speculation.md.

With --context-shift a completion goes on when the context is full; with
--token-healing a prompt may end in the middle of a word. See docs/sessions.md.

--guidance, --contrastive and --dola run the model more than once for each token:
see docs/guides.md.

With --json, one object at the end:
  {"text", "tokens": [{"id", "text", "logprob"}], "stop": {"kind", …},
   "promptTokens", "seed"}
The "text" of a token is what became complete with it, and may be empty;
"logprob" is ln p under the model itself, in nats; "kind" is end, string,
constraint, maxTokens, contextLength or interrupted; "seed" stands where anything was drawn.`;

export function addGenerate(program: Command, terminal: Terminal): void {
  const command = program.command("generate").argument("[prompt]", 'the text to continue; "-" reads standard input');
  command.description("stream a completion of a prompt to standard output");
  const shared = [...constraintOptions(), ...contextOptions(), ...speculationOptions(), ...guideOptions()];
  for (const option of [...generationOptions(), ...shared]) command.addOption(option);
  addModelFlags(command)
    .option("--adapter <FOLDER>", "a LoRA adapter of Hugging Face PEFT, to run beside the weights (default: none)")
    .option("--echo", "print the prompt before the completion (default: off)")
    .option("--verbose", "say on standard error what computes: backend, instruction set, threads (default: off)")
    .option("--json", "print one JSON object at the end instead of a stream of text (default: off)")
    .addHelpText("after", afterHelp)
    .action((prompt: string | undefined, flags: GenerateFlags) => generate(prompt, flags, terminal));
}

function generationOptions(): Option[] {
  const flag = (flags: string, help: string) => new Option(flags, help);
  return [
    flag("--max-tokens <N>", "tokens to generate at most").default(256).argParser(wholeNumber("--max-tokens", 1)),
    ...samplingOptions(),
    flag("--stop <TEXT>", "end before this text; may be given several times (default: none)").argParser(
      texts("--stop"),
    ),
  ];
}

export async function generate(prompt: string | undefined, flags: GenerateFlags, terminal: Terminal): Promise<void> {
  checkSpeculationFlags(flags);
  contextOptionsOf(flags);
  guidesOf(flags);
  const text = await promptText(prompt, terminal);
  await using model = await loadWithTokenizer(flags, terminal);
  const { name, instructionSet, threads } = model.engine.network.backend;
  if (flags.verbose) terminal.notice(`backend: ${name}, ${instructionSet}, ${threads} threads`);
  // It is freed with the model.
  const adapter = flags.adapter === undefined ? undefined : await loadAdapter(model, flags.adapter);
  const { speculation, dispose } = await speculationOf(flags, terminal);
  try {
    const options = { ...optionsOf(model, flags, terminal), ...given({ adapter, speculation }) };
    const print = flags.json ? printObject : printStream;
    const last = await print(model, text, options, flags, terminal);
    if (flags.verbose && last?.speculation !== undefined) terminal.notice(speculationLine(last.speculation));
  } finally {
    await dispose();
  }
}

async function promptText(prompt: string | undefined, terminal: Terminal): Promise<string> {
  const fromInput = prompt === "-" || (prompt === undefined && terminal.input.isTTY !== true);
  return fromInput ? (await terminal.readInput()).replace(/\r?\n$/, "") : (prompt ?? "");
}

function optionsOf(model: Model, flags: GenerateFlags, terminal: Terminal): GenerationOptions {
  const { maxTokens, stop } = flags;
  const stopping = stop === undefined ? undefined : { strings: stop };
  const defaults = model.generationDefaults;
  const options = {
    maxTokens,
    // What contrastive search takes is not drawn.
    sampling: flags.contrastive === undefined ? samplingOf(flags, defaults) : undefined,
    penalties: penaltiesOf(flags, defaults),
    stopping,
  };
  const constraint = constraintOf(flags);
  return {
    ...given({ ...options, constraint, ...contextOptionsOf(flags), ...guidesOf(flags) }),
    signal: terminal.signal,
  };
}

type Print = (
  model: Model,
  prompt: string,
  options: GenerationOptions,
  flags: GenerateFlags,
  terminal: Terminal,
) => Promise<GenerationStep | undefined>;

const printStream: Print = async (model, prompt, options, flags, terminal) => {
  let last: GenerationStep | undefined;
  try {
    if (flags.echo) await terminal.print(prompt);
    for await (const step of model.generate(prompt, options)) {
      await terminal.print(step.text);
      last = step;
    }
    return last;
  } finally {
    // A person's next prompt should begin on a line of its own; a program gets the completion and nothing else.
    if (terminal.output.isTTY) terminal.output.write("\n");
  }
};

const printObject: Print = async (model, prompt, options, flags, terminal) => {
  let last: GenerationStep | undefined;
  const tokens: { id: number; text: string; logprob: number }[] = [];
  let stop: StopReason | { kind: "interrupted" } = { kind: "interrupted" };
  try {
    for await (const step of model.generate(prompt, options)) {
      tokens.push({ id: step.token, text: step.text, logprob: step.logprob });
      stop = step.stop ?? stop;
      last = step;
    }
  } catch (error) {
    if (!(terminal.signal.reason instanceof InterruptedError)) throw error;
  }
  const text = (flags.echo ? prompt : "") + tokens.map((token) => token.text).join("");
  const promptTokens = promptLength(model, prompt);
  await terminal.printJson({ text, tokens, stop, promptTokens, ...given({ seed: options.sampling?.seed }) });
  terminal.signal.throwIfAborted();
  return last;
};

/** Tokens of the prompt (of the source, for an encoder-decoder model). */
function promptLength(model: Model, prompt: string): number {
  const reader = model.parts.sourceTokenizer?.tokenizer ?? model.tokenizer;
  // The empty prompt becomes the beginning token.
  return Math.max(1, reader.encode(prompt).length);
}
