/**
 * The linear maps of a model by the names of the modules that they are published as, and pairs of small matrices
 * beside them. A module that fuses several maps (GPT-2's `c_attn`) has one pair: the maps share what leads down, and
 * each has its rows of what leads up.
 */
import { InvalidValueError } from "../../core/errors.js";
import type { LowRankConfig, LowRankPair } from "../../nn/low-rank.js";
import type { Recipe, Recipes } from "../weights.js";

/** A linear map inside a block. */
export interface LinearMap {
  /** Such as `blocks.0.attention.query`. */
  readonly place: string;
  /** [out, in] */
  readonly shape: readonly [number, number];
  readonly recipe: Recipe;
}

/** Maps by the path of their module in the class of `transformers` that has a head. */
export type LinearModules = ReadonlyMap<string, readonly LinearMap[]>;

export function linearModules(
  recipes: Recipes,
  parameters: Iterable<{ readonly name: string; readonly shape: readonly number[] }>,
): LinearModules {
  const modules = new Map<string, LinearMap[]>();
  for (const { name, shape } of parameters) {
    const place = /^(.*\.(?:query|key|value|output|gate|up|down))\.weight$/.exec(name)?.[1];
    const recipe = recipes.get(name);
    if (place === undefined || recipe === undefined || shape.length !== 2) continue;
    const tensor = typeof recipe.tensor === "string" ? recipe.tensor : recipe.tensor[0]!;
    const module = tensor.replace(/\.weight$/, "");
    const map: LinearMap = { place, shape: shape as [number, number], recipe };
    modules.set(module, [...(modules.get(module) ?? []), map]);
  }
  return modules;
}

/**
 * Modules that are meant, as PEFT reads `target_modules`: by the path or its end.
 * @param targets - names; `"all"`: every linear map; absent: those that make queries and values
 * @throws InvalidValueError for a name that fits nothing
 */
export function chosenModules(modules: LinearModules, targets?: readonly string[]): LinearModules {
  const all = [...modules];
  if (targets === undefined) {
    const isAttending = ([, maps]: (typeof all)[number]) => maps.some(({ place }) => /\.(query|value)$/.test(place));
    return new Map(all.filter(isAttending));
  }
  for (const target of targets) {
    if (target === "all" || all.some(([module]) => isMeant(module, target))) continue;
    throw new InvalidValueError("lora.targets", `"all" or some of ${shortNames(modules).join(", ")}`, target);
  }
  return new Map(all.filter(([module]) => targets.some((target) => target === "all" || isMeant(module, target))));
}

function isMeant(module: string, target: string): boolean {
  return module === target || module.endsWith(`.${target}`);
}

/** The last parts of the modules' paths. */
export function shortNames(modules: LinearModules): string[] {
  return [...new Set([...modules.keys()].map((module) => module.slice(module.lastIndexOf(".") + 1)))];
}

/** The parameters of pairs beside these modules: how they stand in the graph, and where in a file of PEFT. */
export interface PairParameters {
  readonly config: LowRankConfig;
  readonly shapes: ReadonlyMap<string, readonly [number, number]>;
  readonly recipes: Recipes;
}

export function pairsBeside(
  modules: LinearModules,
  { rank, alpha, dropout, scale = alpha / rank }: { rank: number; alpha: number; dropout: number; scale?: number },
): PairParameters {
  const pairs = new Map<string, LowRankPair>();
  const shapes = new Map<string, readonly [number, number]>();
  const recipes = new Map<string, Recipe>();
  for (const [module, maps] of modules) {
    const down = `${maps[0]!.place}.lora.down.weight`;
    shapes.set(down, [rank, maps[0]!.shape[1]]);
    recipes.set(down, { tensor: `${peftPrefix}${module}.lora_A.weight` });
    for (const { place, shape, recipe } of maps) {
      const up = `${place}.lora.up.weight`;
      pairs.set(place, { down, up });
      shapes.set(up, [shape[0], rank]);
      recipes.set(up, { tensor: `${peftPrefix}${module}.lora_B.weight`, rows: recipe.rows });
    }
  }
  return { config: { rank, scale, dropout, pairs }, shapes, recipes };
}

/** What PEFT's own classes put before the path of a module. */
export const peftPrefix = "base_model.model.";

/**
 * Adds a pair's product to a map: W + scale · up · down.
 * @param weight - [out, in], not changed
 * @param down - [rank, in]
 * @param up - [out, rank]
 */
export function mergedMap(
  weight: Float32Array,
  down: Float32Array,
  up: Float32Array,
  { rank, scale }: { readonly rank: number; readonly scale: number },
): Float32Array {
  const width = down.length / rank;
  const out = Float32Array.from(weight);
  const sum = new Float64Array(width);
  for (let row = 0; row < up.length / rank; row++) {
    sum.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = up[row * rank + k]!;
      for (let i = 0; i < width; i++) sum[i]! += factor * down[k * width + i]!;
    }
    for (let i = 0; i < width; i++) out[row * width + i]! += scale * sum[i]!;
  }
  return out;
}
