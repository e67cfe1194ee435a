/** `hitherto convert <in> <out>`: writes a checkpoint in another format or storage type. */
import { type Command, Option } from "commander";
import { type ConvertTarget, type ConvertType, convertCheckpoint, convertTypes } from "../convert.node.js";
import { modelPath } from "../embedded-models.node.js";
import { FlagError, oneOf } from "./flags.js";
import { given, listeners, modelHelp, progressFor, tokenizerHelp } from "./model-flags.js";
import type { Terminal } from "./terminal.js";

export interface ConvertFlags {
  readonly to?: ConvertTarget;
  readonly type?: ConvertType;
  readonly tokenizer?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const targets = Object.keys(convertTypes) as ConvertTarget[];

const afterHelp = `
In a Hugging Face folder q8_0 is what the package compressed-tensors calls
int-quantized in groups of 32, which transformers and vLLM open with it.

Beside a quantized type, vectors stay f32, and the output matrix (with K types
in Q6_K) and rows that are not whole blocks get Q8_0. Beside q4_0, q4_1 and
mxfp4, so do the matrices of keys and values: with 4 bits these cost a model
the most for their size.

The output gets its name once it is complete; an interrupted conversion leaves
nothing behind. With --json, {"path", "to"} when it is done.`;

export function addConvert(program: Command, terminal: Terminal): void {
  const to = new Option(
    "--to <FORMAT>",
    "hf, a folder that PyTorch transformers opens, or gguf (default: gguf where <out> ends in .gguf, else hf)",
  );
  const type = new Option(
    "--type <TYPE>",
    `storage type of matrices: ${convertTypes.gguf.join(", ")}; for hf ${convertTypes.hf.join(", ")} (default: as they are, where the target can hold them)`,
  );
  program
    .command("convert")
    .description("write a checkpoint as a Hugging Face folder or a GGUF file")
    .argument("<in>", modelHelp)
    .argument("<out>", "the folder or file to write")
    .addOption(to.argParser(oneOf("--to", targets)))
    .addOption(type.argParser((text) => oneOf("--type", convertTypes.gguf)(text.toLowerCase())))
    .option("--tokenizer <FILE>", tokenizerHelp)
    .option("--force", "replace what is at <out> (default: refuse)")
    .option("--json", "print one JSON object when done (default: nothing)")
    .addHelpText("after", afterHelp)
    .action((from: string, out: string, flags: ConvertFlags) => convert(from, out, flags, terminal));
}

export async function convert(from: string, out: string, flags: ConvertFlags, terminal: Terminal): Promise<void> {
  const { type, tokenizer, force } = flags;
  const to = flags.to ?? (out.toLowerCase().endsWith(".gguf") ? "gguf" : "hf");
  const types: readonly string[] = convertTypes[to];
  if (type !== undefined && !types.includes(type)) {
    throw new FlagError("--type", `one of ${types.join(", ")} with --to ${to}`, type);
  }
  const progress = progressFor(flags, terminal, "converting");
  try {
    await convertCheckpoint(modelPath(from), out, {
      to,
      ...given({ type, tokenizer, force }),
      ...listeners(progress, terminal),
    });
  } finally {
    progress.clear();
  }
  if (flags.json) await terminal.printJson({ path: out, to });
}
