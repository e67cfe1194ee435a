/**
 * Loss curves as an SVG file: of one run or several, in training and on held-out data.
 *
 * Colours suit light and dark surroundings, and readers who cannot tell red from green (after Okabe & Ito, 2008).
 */
import { OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { type Axis, linearAxis, logAxis } from "./axis.js";
import { type Point, smoothed, thinned } from "./smooth.js";
import { coordinate, element, escaped } from "./svg.js";

/** What is drawn of a run. */
export interface PlottedRun {
  readonly name: string;
  readonly train: readonly Point[];
  readonly heldOut: readonly Point[];
}

export interface LossPlotOptions {
  readonly title?: string;
  /** What x counts. Default `"step"`. */
  readonly xLabel?: string;
  /** Default `"loss, nats per token"`. */
  readonly yLabel?: string;
  /** Weight of what came before in the training curve's running mean, in [0, 1). Default 0.9. */
  readonly smoothing?: number;
  /** Logarithmic axes. Default: none. */
  readonly log?: { readonly x?: boolean; readonly y?: boolean };
  /** Size in pixels. Default 800 × 480. */
  readonly width?: number;
  readonly height?: number;
}

const optionNames = ["title", "xLabel", "yLabel", "smoothing", "log", "width", "height"];

const colours = {
  light: ["#0072b2", "#d55e00", "#009e73", "#b14f8a", "#a37500", "#56729b", "#7a4b2a", "#555555"],
  dark: ["#5ab4f0", "#ff9147", "#35d0a2", "#e79cc9", "#f0c243", "#9fb8dd", "#d09a72", "#b5b5b5"],
};
const ink = {
  light: { paper: "#ffffff", text: "#24292f", line: "#d0d7de" },
  dark: { paper: "#0d1117", text: "#d6dce3", line: "#30363d" },
};

/** Pixels: from the edge to the plot's area, of a line of the legend, and of a letter at 12 pixels (about). */
const margin = { left: 64, right: 24, top: 20, bottom: 52 };
const row = 20;
const letter = 7;

/**
 * Draws the curves.
 * @returns a whole SVG file
 * @throws OutOfRangeError, UnknownOptionError
 */
export function lossPlot(runs: readonly PlottedRun[], options: LossPlotOptions = {}): string {
  rejectUnknownOptions(options, optionNames);
  const { title = "", smoothing = 0.9, width = 800, height = 480 } = options;
  if (!(smoothing >= 0 && smoothing < 1)) throw new OutOfRangeError("smoothing", "from 0 to below 1", smoothing);
  for (const [name, size] of Object.entries({ width, height })) {
    if (!(size >= 200 && size <= 10_000)) throw new OutOfRangeError(name, "from 200 to 10000", size);
  }
  const curves = runs.map((run, index) => curvesOf(run, index, smoothing, width));
  const legend = legendOf(runs, smoothing, width - margin.left - margin.right);
  const head = margin.top + (title === "" ? 0 : 28) + legend.rows * row;
  const area = {
    left: margin.left,
    top: head,
    width: width - margin.left - margin.right,
    height: height - head - margin.bottom,
  };
  const axes = axesOf(curves, options, area);
  const parts = [
    style(runs.length),
    element("title", {}, escaped(title === "" ? `Loss of ${runs.map(({ name }) => name).join(", ")}` : title)),
    element("rect", { class: "paper", width, height, fill: ink.light.paper }),
    ...(title === ""
      ? []
      : [label(title, { x: margin.left, y: margin.top + 12, class: "text title", "font-size": "16" })]),
    element("g", { transform: `translate(${margin.left} ${head - legend.rows * row})` }, ...legend.parts),
    ...gridOf(axes, area),
    ...namesOf(options, area),
    element("g", { fill: "none", "stroke-linejoin": "round" }, ...curves.flatMap((curve) => drawn(curve, axes, area))),
  ];
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
  };
  return `${element("svg", { ...attributes, "font-family": "system-ui, sans-serif", "font-size": "12" }, ...parts.map((part) => `\n${part}`), "\n")}\n`;
}

interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Curves {
  readonly index: number;
  /** As measured, behind the mean; empty where there is no smoothing. */
  readonly raw: readonly Point[];
  readonly mean: readonly Point[];
  readonly heldOut: readonly Point[];
}

function curvesOf({ train, heldOut }: PlottedRun, index: number, smoothing: number, width: number): Curves {
  const sensible = (value: number) => Math.abs(value) < 1e15;
  const shown = (points: readonly Point[]) => points.filter(({ x, y }) => sensible(x) && sensible(y));
  const measured = shown(train);
  const mean = smoothed(measured, smoothing);
  return {
    index,
    raw: smoothing > 0 ? thinned(measured, width / 4) : [],
    mean: thinned(mean, width / 4),
    heldOut: shown(heldOut),
  };
}

interface Axes {
  readonly x: Axis;
  readonly y: Axis;
}

/** The axes hold the means and what is held out; noise beside them may be cut off. */
function axesOf(curves: readonly Curves[], { log = {} }: LossPlotOptions, area: Area): Axes {
  const points = curves.flatMap(({ mean, heldOut }) => [...mean, ...heldOut]);
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [across, up] = [Math.max(2, Math.floor(area.width / 90)), Math.max(2, Math.floor(area.height / 50))];
  return {
    x: log.x ? logAxis(xs, across) : linearAxis([0, ...xs], across, true),
    y: log.y ? logAxis(ys, up) : linearAxis(ys, up),
  };
}

function placeIn({ x, y }: Axes, area: Area, point: Point): { x: number; y: number } {
  return { x: area.left + x.place(point.x) * area.width, y: area.top + (1 - y.place(point.y)) * area.height };
}

function drawn({ index, raw, mean, heldOut }: Curves, axes: Axes, area: Area): string[] {
  const inside = (point: { x: number; y: number }) => ({
    x: point.x,
    y: Math.min(area.top + area.height, Math.max(area.top, point.y)),
  });
  const places = (points: readonly Point[]) =>
    points
      .map((point) => placeIn(axes, area, point))
      .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))
      .map(inside);
  const stroke = { class: `curve c${index % colours.light.length}`, stroke: colourOf(index) };
  const held = places(heldOut);
  return [
    path(places(raw), { ...stroke, "stroke-width": "1", "stroke-opacity": "0.25" }),
    path(places(mean), { ...stroke, "stroke-width": "2" }),
    path(held, { ...stroke, "stroke-width": "1.5", "stroke-dasharray": "5 3" }),
    ...held.map(({ x, y }) => element("circle", { ...stroke, "stroke-width": "1.5", cx: x, cy: y, r: 2.5 })),
  ].filter((part) => part !== "");
}

function colourOf(index: number): string {
  return colours.light[index % colours.light.length]!;
}

function path(points: readonly Point[], attributes: Record<string, string>): string {
  if (points.length === 0) return "";
  const steps = points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${coordinate(x)} ${coordinate(y)}`);
  return element("path", { d: steps.join(""), ...attributes });
}

function gridOf({ x, y }: Axes, area: Area): string[] {
  const [right, bottom] = [area.left + area.width, area.top + area.height];
  const line = { class: "line", stroke: ink.light.line, "stroke-width": "1" };
  const across = y.ticks.flatMap((tick) => {
    const at = area.top + (1 - y.place(tick.value)) * area.height;
    return [
      element("line", { ...line, x1: area.left, y1: at, x2: right, y2: at }),
      label(tick.label, { x: area.left - 8, y: at + 4, "text-anchor": "end" }),
    ];
  });
  const up = x.ticks.flatMap((tick) => {
    const at = area.left + x.place(tick.value) * area.width;
    return [
      element("line", { ...line, x1: at, y1: bottom, x2: at, y2: bottom + 5 }),
      label(tick.label, { x: at, y: bottom + 19, "text-anchor": "middle" }),
    ];
  });
  return [...across, ...up, element("line", { ...line, x1: area.left, y1: bottom, x2: right, y2: bottom })];
}

function namesOf({ xLabel = "step", yLabel = "loss, nats per token" }: LossPlotOptions, area: Area): string[] {
  const [middle, centre] = [area.left + area.width / 2, area.top + area.height / 2];
  return [
    label(xLabel, { x: middle, y: area.top + area.height + 40, "text-anchor": "middle" }),
    label(yLabel, { x: 16, y: centre, "text-anchor": "middle", transform: `rotate(-90 16 ${coordinate(centre)})` }),
  ];
}

function label(text: string, attributes: Record<string, string | number>): string {
  return element("text", { class: "text", fill: ink.light.text, ...attributes }, escaped(text));
}

/** Which colour is which run, and which line is which loss, in as many rows as it takes. */
function legendOf(runs: readonly PlottedRun[], smoothing: number, width: number): { rows: number; parts: string[] } {
  const named = runs.map(({ name }, index) => ({
    text: name,
    class: `curve c${index % colours.light.length}`,
    stroke: colourOf(index),
    dash: "none",
  }));
  const grey = { class: "key", stroke: ink.light.text };
  const mean = smoothing > 0 ? `training, running mean ${smoothing}` : "training";
  const keys = [
    ...(runs.some(({ train }) => train.length > 0) ? [{ ...grey, text: mean, dash: "none" }] : []),
    ...(runs.some(({ heldOut }) => heldOut.length > 0) ? [{ ...grey, text: "held out", dash: "5 3" }] : []),
  ];
  let [x, line] = [0, 0];
  const parts = [...named, ...keys].flatMap(({ text, class: name, stroke, dash }) => {
    const size = 32 + text.length * letter + 22;
    if (x > 0 && x + size > width) [x, line] = [0, line + 1];
    const y = line * row + 6;
    const at = x;
    x += size;
    return [
      element("line", {
        class: name,
        stroke,
        "stroke-width": "2",
        "stroke-dasharray": dash,
        x1: at,
        y1: y,
        x2: at + 24,
        y2: y,
      }),
      label(text, { x: at + 32, y: y + 4 }),
    ];
  });
  return { rows: parts.length === 0 ? 0 : line + 1, parts };
}

/** What changes where the surroundings are dark. Colours for light ones stand at the elements, for programs without CSS. */
function style(count: number): string {
  const curves = colours.dark.slice(0, count).map((colour, index) => `.c${index}{stroke:${colour}}`);
  const { paper, text, line } = ink.dark;
  const rules = [
    `.paper{fill:${paper}}`,
    `.text{fill:${text}}`,
    `.line{stroke:${line}}`,
    `.key{stroke:${text}}`,
    ...curves,
  ];
  return element("style", {}, `@media (prefers-color-scheme:dark){${rules.join("")}}`);
}
