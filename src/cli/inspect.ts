/** `hitherto inspect [path]`: what a checkpoint is, from its headers. */
import type { Command } from "commander";
import { describe } from "../describe.node.js";
import type { CheckpointDescription } from "../describe-checkpoint.js";
import { modelPath } from "../embedded-models.node.js";
import { type AvailableInstructionSets, availableInstructionSets } from "../load-model.node.js";
import { given, modelHelp, tokenizerHelp } from "./model-flags.js";
import type { Terminal } from "./terminal.js";

export interface InspectFlags {
  readonly tokenizer?: string;
  readonly tensors?: boolean;
  readonly results?: boolean;
  readonly json?: boolean;
}

const afterHelp = `
Reads headers and configuration only, never the weights. Sizes are in elements
and bytes, lengths in tokens.

With --json, one object: {"path", "format", "architecture", "family", "kind",
"sizes", "parameters", "bytes", "storage", "tokenizer", …}, with "tensors":
[{"name", "shape", "storage", "bytes"}] and "results": [name] where asked for.
For a checkpoint that this package cannot run, "problem" says why. "machine":
{"backend", "instructionSets"} is what would compute here without being asked
for anything else; the last instruction set, the best, is used.`;

export function addInspect(program: Command, terminal: Terminal): void {
  program
    .command("inspect")
    .description("describe a checkpoint: family, sizes, storage types, tokenizer, tensors")
    .argument("[path]", modelHelp)
    .option("--tokenizer <FILE>", tokenizerHelp)
    .option("--tensors", "list every tensor: name, shape, storage type, bytes (default: off)")
    .option("--results", "list the results inside the model that `model.inspect` takes by name (default: off)")
    .option("--json", "print one JSON object (default: a readable summary)")
    .addHelpText("after", afterHelp)
    .action((path: string | undefined, flags: InspectFlags) => inspect(path, flags, terminal));
}

export async function inspect(path: string | undefined, flags: InspectFlags, terminal: Terminal): Promise<void> {
  const options = given({ tokenizer: flags.tokenizer, results: flags.results });
  const { tensors, results, ...description } = await describe(modelPath(path), options);
  const machine = availableInstructionSets();
  if (flags.json) {
    await terminal.printJson({
      ...description,
      machine,
      ...given({ tensors: flags.tensors ? tensors : undefined, results }),
    });
    return;
  }
  const lines = summary(description, tensors.length, machine);
  if (flags.tensors) lines.push("", ...tensorTable(tensors));
  if (results !== undefined) lines.push("", ...results);
  await terminal.print(`${lines.join("\n")}\n`);
}

function summary(
  description: Omit<CheckpointDescription, "tensors">,
  tensorCount: number,
  { backend, instructionSets }: AvailableInstructionSets,
): string[] {
  const { sizes, tokenizer, storage } = description;
  const rows: [label: string, value: string | undefined][] = [
    ["path", description.path],
    ["format", description.format],
    ["architecture", description.architecture],
    ["family", description.family && `${description.family} (${description.kind})`],
    ["cannot run", description.problem],
    ["parameters", `${count(description.parameters)} in ${tensorCount} tensors, ${bytes(description.bytes)}`],
    ["storage", storage.map((each) => `${each.type} ${bytes(each.bytes)}`).join(", ")],
    ["context length", sizes && `${sizes.contextLength} tokens`],
    ["layers", sizes && layersText(sizes)],
    ["hidden size", sizes && `${sizes.hiddenSize}, feed-forward ${sizes.intermediateSize}`],
    [
      "attention",
      sizes && `${sizes.headCount} heads of ${sizes.headDim}, ${sizes.keyValueHeadCount} for keys and values`,
    ],
    ["vocabulary", sizes && `${sizes.vocabSize} entries, output head ${sizes.tiedHead ? "tied" : "untied"}`],
    ["tokenizer", tokenizer === undefined ? sizes && "none" : `${tokenizer.source}, ${tokenizer.vocabSize} entries`],
    [
      "special tokens",
      tokenizer?.special.map(({ role, id, token }) => `${role} ${id} ${JSON.stringify(token)}`).join(", "),
    ],
    ["chat template", tokenizer?.chatTemplate ? "yes" : undefined],
    ["computes with", `${backend}, ${instructionSets.at(-1)} (present: ${instructionSets.join(", ")})`],
  ];
  return rows
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([label, value]) => label.padEnd(16) + value);
}

function layersText({ layerCount, encoderLayerCount }: NonNullable<CheckpointDescription["sizes"]>): string {
  return encoderLayerCount === undefined ? String(layerCount) : `${encoderLayerCount} encoder, ${layerCount} decoder`;
}

function tensorTable(tensors: CheckpointDescription["tensors"]): string[] {
  const rows = tensors.map(({ name, shape, storage, bytes: size }) => [
    name,
    `[${shape.join(", ")}]`,
    storage,
    String(size),
  ]);
  const widths = [0, 1, 2, 3].map((column) => rows.reduce((most, row) => Math.max(most, row[column]!.length), 0));
  return rows.map(
    ([name, shape, storage, size]) =>
      `${name!.padEnd(widths[0]!)}  ${shape!.padEnd(widths[1]!)}  ${storage!.padEnd(widths[2]!)}  ${size!.padStart(widths[3]!)}`,
  );
}

/** 1234567 as "1,234,567". */
function count(value: number): string {
  return value.toLocaleString("en-US");
}

function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let scaled = value;
  for (; scaled >= 1000 && unit + 1 < units.length; unit++) scaled /= 1000;
  return `${unit === 0 ? scaled : scaled.toFixed(1)} ${units[unit]}`;
}
