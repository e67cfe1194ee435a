/** `hitherto plot <run…>`: loss curves of runs as an SVG file. */
import { writeFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { type Command, Option } from "commander";
import { lossPlot, type PlottedRun } from "../training/plot/loss-plot.js";
import { FlagError, number, oneOf, wholeNumber } from "./flags.js";
import { given } from "./model-flags.js";
import type { Terminal } from "./terminal.js";
import { readMetrics, type StepMetrics } from "./train/metrics.js";

const counted = { step: "step", tokens: "tokens", seconds: "seconds" } as const;
type Counted = keyof typeof counted;
const axes = ["x", "y", "xy"] as const;

export interface PlotFlags {
  readonly out?: string;
  readonly x: Counted;
  readonly smoothing: number;
  readonly log?: (typeof axes)[number];
  readonly title?: string;
  readonly names?: string;
  readonly width: number;
  readonly height: number;
}

const afterHelp = `
A run is a folder that \`hitherto train\` has made, or its metrics.jsonl. Solid
lines are training losses (their running mean, with the measured ones behind
it), dashed lines with rings those on held-out data. The file follows the
surroundings' light or dark mode and needs no fonts of its own.`;

export function addPlot(program: Command, terminal: Terminal): void {
  const flag = (flags: string, help: string) => new Option(flags, help);
  program
    .command("plot")
    .description("draw loss curves of runs as SVG")
    .argument("<runs...>", "folders of runs, or metrics.jsonl files")
    .option("--out <FILE>", "where to write it (default: standard output)")
    .addOption(
      flag("--x <WHAT>", `what x counts: ${Object.keys(counted).join(", ")}`)
        .default("step")
        .argParser(oneOf("--x", Object.keys(counted) as Counted[])),
    )
    .addOption(
      flag("--smoothing <W>", "weight of what came before in the running mean; 0: none")
        .default(0.9)
        .argParser(number("--smoothing", "a number from 0 to below 1", (value) => value >= 0 && value < 1)),
    )
    .addOption(flag("--log <AXES>", "logarithmic axes: x, y or xy (default: none)").argParser(oneOf("--log", axes)))
    .option("--title <TEXT>", "above the curves (default: none)")
    .option("--names <LIST>", "names of the runs in the legend, with commas between them (default: their folders')")
    .addOption(
      flag("--width <PIXELS>", "of the picture")
        .default(800)
        .argParser(wholeNumber("--width", 200, 10_000)),
    )
    .addOption(
      flag("--height <PIXELS>", "of the picture")
        .default(480)
        .argParser(wholeNumber("--height", 200, 10_000)),
    )
    .addHelpText("after", afterHelp)
    .action((runs: readonly string[], flags: PlotFlags) => plot(runs, flags, terminal));
}

export async function plot(paths: readonly string[], flags: PlotFlags, terminal: Terminal): Promise<void> {
  const names = flags.names?.split(",") ?? paths.map(nameOf);
  if (names.length !== paths.length) throw new FlagError("--names", `${paths.length} names`, flags.names ?? "");
  const runs = paths.map((path, index) => plottedRun(names[index]!, path, flags.x));
  const { title, smoothing, width, height, log = "" } = flags;
  const options = { ...given({ title }), smoothing, width, height, xLabel: counted[flags.x] };
  const svg = lossPlot(runs, { ...options, log: { x: log.includes("x"), y: log.includes("y") } });
  if (flags.out === undefined) await terminal.print(svg);
  else await writeFile(flags.out, svg);
}

function nameOf(path: string): string {
  return basename(resolve(path, path.endsWith(".jsonl") ? ".." : "."));
}

function plottedRun(name: string, path: string, counts: Counted): PlottedRun {
  const metrics = readMetrics(path);
  const steps = metrics.filter((each): each is StepMetrics => each.kind === "step");
  // What was measured on held-out data lies where the step before it lies.
  const places = new Map(steps.map((each) => [each.step, each[counts]]));
  const heldOut = metrics.filter(({ kind, step }) => kind === "evaluation" && (step === 0 || places.has(step)));
  return {
    name,
    train: steps.map((each) => ({ x: each[counts], y: each.loss })),
    heldOut: heldOut.map((each) => ({ x: places.get(each.step) ?? 0, y: "loss" in each ? each.loss : Number.NaN })),
  };
}
