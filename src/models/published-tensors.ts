/**
 * From a model's parameters back to the tensors that checkpoints of its family are published with: the inverse of the
 * family's recipes. Fused projections are joined, matrices transposed, shifts taken back.
 */
import type { StoredTensor } from "../core/checkpoint.js";
import { assert } from "../core/errors.js";
import type { Recipe, Recipes } from "./weights.js";

/** A parameter with its numbers, row-major. */
export interface HeldParameter {
  readonly name: string;
  readonly shape: readonly number[];
  values(): Float32Array;
}

/** What a checkpoint that was opened holds where no parameter says what to write. */
export interface OriginalTensor {
  readonly shape: readonly number[];
  /** Its elements, where parameters do not cover all of them (BART's two unused positions). */
  readonly values?: Float32Array;
}

/** A tensor to be written, and the parameters that it is joined from. */
export interface PublishedLayout {
  readonly name: string;
  readonly shape: readonly number[];
  readonly pieces: readonly { readonly parameter: HeldParameter; readonly recipe: Recipe }[];
  /** Whether every element comes from some parameter. */
  readonly covered: boolean;
}

/**
 * Which tensors the parameters make up. Computed parameters make none.
 * @param original - tensors of the checkpoint that the model came from, whose names and shapes are kept; may be empty
 */
export function publishedLayouts(
  recipes: Recipes,
  parameters: Iterable<HeldParameter>,
  original: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): PublishedLayout[] {
  const groups = new Map<string, { parameter: HeldParameter; recipe: Recipe }[]>();
  for (const parameter of parameters) {
    const recipe = recipes.get(parameter.name);
    assert(recipe !== undefined, `no recipe for parameter ${parameter.name}`);
    if (recipe.computed !== undefined) continue;
    const name = publishedName(recipe, original);
    groups.set(name, [...(groups.get(name) ?? []), { parameter, recipe }]);
  }
  return [...groups].map(([name, pieces]) => {
    const shape = original.get(name)?.shape ?? impliedShape(pieces);
    const elements = pieces.reduce((sum, { parameter }) => sum + sizeOf(parameter.shape), 0);
    return { name, shape, pieces, covered: elements === sizeOf(shape) };
  });
}

/**
 * The tensor of a layout as float32, put together when it is read.
 * @param values - elements that no parameter covers; default zero
 */
export function publishedTensor(layout: PublishedLayout, values?: Float32Array): StoredTensor {
  const byteLength = 4 * sizeOf(layout.shape);
  let joined: Uint8Array | undefined;
  const read = async (byteOffset: number, into: Uint8Array): Promise<void> => {
    // Writers read from the start to the end, so the tensor is made once and let go with its last byte.
    if (joined === undefined) joined = new Uint8Array(join(layout, values).buffer);
    into.set(joined.subarray(byteOffset, byteOffset + into.length));
    if (byteOffset + into.length >= byteLength) joined = undefined;
  };
  return { name: layout.name, shape: layout.shape, storage: "f32", byteLength, read };
}

/** The name that the checkpoint has, else the first of those that the family knows: that of the class with a head. */
function publishedName({ tensor }: Recipe, original: ReadonlyMap<string, unknown>): string {
  const names = typeof tensor === "string" ? [tensor] : tensor;
  return names.find((name) => original.has(name)) ?? names[0]!;
}

function impliedShape(pieces: PublishedLayout["pieces"]): number[] {
  const { parameter, recipe } = pieces[0]!;
  let rows = 0;
  for (const piece of pieces) {
    for (let row = 0; row < piece.parameter.shape[0]!; row++) rows = Math.max(rows, 1 + rowOf(piece.recipe, row));
  }
  const shape = [rows, ...parameter.shape.slice(1)];
  return recipe.transposed ? shape.reverse() : shape;
}

function rowOf({ rows }: Recipe, row: number): number {
  return rows?.(row) ?? row;
}

/** Elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function join(layout: PublishedLayout, values: Float32Array | undefined): Float32Array {
  const out = values?.slice() ?? new Float32Array(sizeOf(layout.shape));
  for (const { parameter, recipe } of layout.pieces) put(parameter, recipe, layout.shape, out);
  return out;
}

function put({ shape, values }: HeldParameter, recipe: Recipe, published: readonly number[], out: Float32Array): void {
  const source = values();
  const rows = shape[0]!;
  const columns = sizeOf(shape.slice(1));
  const stride = recipe.transposed ? published.at(-1)! : columns;
  const less = recipe.plus ?? 0;
  for (let row = 0; row < rows; row++) {
    const at = rowOf(recipe, row);
    for (let i = 0; i < columns; i++) {
      out[recipe.transposed ? i * stride + at : at * stride + i] = source[row * columns + i]! - less;
    }
  }
}
