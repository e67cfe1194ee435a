/** Holds the rules of the house that no type checker knows: which layer may import which, and how long a file may be. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const sourceFolder = join(dirname(fileURLToPath(import.meta.url)), "..", "src");

/** Layers from the lowest to the highest; those on one line do not know each other. */
const layers = [
  ["core"],
  ["formats", "tokenizers"],
  ["graph"],
  ["backends"],
  ["nn"],
  ["models"],
  ["cache"],
  ["generation"],
  ["inspect", "training", "serving", "modalities"],
  ["server"],
  ["cli"],
];

/** Layers that may know less than all that lies below them. */
const knowsOnly: Readonly<Record<string, readonly string[]>> = {
  formats: ["core"],
  tokenizers: ["core"],
  graph: ["core"],
  backends: ["core", "graph"],
  nn: ["core", "graph"],
};

/** The contract of backends: all that layers above know of them. Which one to use is chosen where things are composed. */
const backendContract = "backends/backend.ts";
const composes = (file: string) => /^(cli|server)\//.test(file) || !file.includes("/");

const lineLimit = 400;
/** Files over the limit, each with the reason why it is one file. */
const longFiles: Readonly<Record<string, string>> = {};

interface SourceFile {
  /** Path in `src/`. */
  readonly path: string;
  readonly text: string;
  /** What it imports: paths in `src/`, or names of packages. */
  readonly imports: readonly string[];
}

const files: readonly SourceFile[] = readdirSync(sourceFolder, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts") && !isTest(path))
  .map((path) => {
    const text = readFileSync(join(sourceFolder, path), "utf8");
    return { path, text, imports: importsOf(path, text) };
  });

/** Tests may use everything. */
function isTest(path: string): boolean {
  return path.endsWith(".test.ts") || path.startsWith("backends/conformance/");
}

function importsOf(path: string, text: string): string[] {
  const statements = text.matchAll(/(?:^(?:import|export)\b[^;"']*?|\bimport\()\s*["']([^"']+)["']/gm);
  return [...statements].map(([, name]) =>
    name!.startsWith(".")
      ? normalize(join(dirname(path), name!))
          .replaceAll("\\", "/")
          .replace(/\.js$/, ".ts")
      : name!,
  );
}

function layerOf(path: string): string | undefined {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : undefined;
}

function rankOf(layer: string): number {
  return layers.findIndex((row) => row.includes(layer));
}

/** Every import from one file of ours to another that `broken` objects to, as "from → to". */
function violations(broken: (from: string, to: string) => boolean): string[] {
  const known = new Set(files.map(({ path }) => path));
  return files.flatMap(({ path, imports }) =>
    imports.filter((to) => known.has(to) && broken(path, to)).map((to) => `${path} → ${to}`),
  );
}

describe("architecture", () => {
  test("every folder of src is a layer, and every import is understood", () => {
    const folders = new Set(files.map(({ path }) => layerOf(path)).filter((layer) => layer !== undefined));
    expect([...folders].filter((layer) => rankOf(layer) < 0)).toEqual([]);
    expect(files.flatMap(({ imports }) => imports).length).toBeGreaterThan(files.length);
  });

  test("imports point downward", () => {
    const upward = violations((from, to) => {
      const [above, below] = [layerOf(from), layerOf(to)];
      if (above === undefined || above === below) return false;
      // Files outside every layer compose the package: what stands above them may use them.
      if (below === undefined) return !composes(from);
      if (rankOf(below) >= rankOf(above)) return true;
      return !(knowsOnly[above]?.includes(below) ?? true);
    });
    expect(upward).toEqual([]);
  });

  test("only what composes the package knows a concrete backend", () => {
    const known = violations(
      (from, to) =>
        layerOf(to) === "backends" && layerOf(from) !== "backends" && to !== backendContract && !composes(from),
    );
    expect(known).toEqual([]);
  });

  test("only files named for Node, and the command line, touch Node", () => {
    const mayTouchNode = (path: string) => path.endsWith(".node.ts") || path.startsWith("cli/");
    const touching = files.filter(
      ({ path, imports }) => !mayTouchNode(path) && imports.some((name) => name.startsWith("node:")),
    );
    expect(touching.map(({ path }) => path)).toEqual([]);
    expect(violations((from, to) => to.endsWith(".node.ts") && !mayTouchNode(from))).toEqual([]);
  });

  test(`files stay under ${lineLimit} lines`, () => {
    const long = files.filter(({ text }) => text.split("\n").length > lineLimit).map(({ path }) => path);
    expect(long).toEqual(Object.keys(longFiles));
  });
});
