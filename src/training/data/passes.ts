/** From a pass over the data to an endless, resumable row of passes: what all kinds of data have in common. */
import { InvalidValueError, OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import type { Batch, BatchOrder, BatchShape, DataPosition, PositionedBatch } from "./batch.js";

/** One pass over the data, batch by batch, in any order. */
export interface Pass {
  readonly batches: number;
  batch(index: number): Promise<Batch>;
}

/** A shape with every default filled in. */
export type FullShape = Required<BatchShape>;

/** @throws OutOfRangeError, UnknownOptionError */
export function checkShape(shape: BatchShape): FullShape {
  rejectUnknownOptions(shape, ["tokens", "sourceTokens", "contextLength"], "shape");
  const { tokens, sourceTokens = tokens, contextLength } = shape;
  const whole = (name: string, value: number, most: number) => {
    if (Number.isInteger(value) && value >= 1 && value <= most) return;
    throw new OutOfRangeError(name, `a whole number from 1 to ${most}`, value);
  };
  whole("tokens", tokens, 2 ** 30);
  whole("sourceTokens", sourceTokens, 2 ** 30);
  whole("contextLength", contextLength, tokens);
  return { tokens, sourceTokens, contextLength };
}

/** Batches of pass after pass, from `order.from`. */
export async function* endlessly(
  order: BatchOrder,
  passOf: (epoch: number) => Pass,
): AsyncGenerator<PositionedBatch, never> {
  checkOrder(order);
  let { epoch, index } = order.from ?? { epoch: 0, index: 0 };
  for (; ; epoch++, index = 0) {
    const pass = passOf(epoch);
    if (pass.batches === 0) throw new InvalidValueError("data", "enough for one batch", "less");
    if (index > pass.batches) throw new OutOfRangeError("from.index", `at most ${pass.batches}`, index);
    for (; index < pass.batches; index++) {
      const next = index + 1 < pass.batches ? { epoch, index: index + 1 } : { epoch: epoch + 1, index: 0 };
      yield { batch: await pass.batch(index), epoch, next };
    }
  }
}

/** Every batch of one pass. */
export async function* once(pass: Pass): AsyncGenerator<Batch, void> {
  for (let index = 0; index < pass.batches; index++) yield await pass.batch(index);
}

function checkOrder(order: BatchOrder): void {
  rejectUnknownOptions(order, ["seed", "from"], "order");
  if (!Number.isSafeInteger(order.seed)) throw new OutOfRangeError("seed", "a safe integer", order.seed);
  if (order.from !== undefined) checkPosition(order.from);
}

/** @throws OutOfRangeError, UnknownOptionError for what is no position: checkpoints come from files */
export function checkPosition(position: DataPosition): void {
  rejectUnknownOptions(position, ["epoch", "index"], "from");
  for (const [name, most] of [
    ["epoch", 2 ** 21 - 1],
    ["index", 2 ** 31 - 1],
  ] as const) {
    const value = position[name];
    if (!(Number.isInteger(value) && value >= 0 && value <= most)) {
      throw new OutOfRangeError(`from.${name}`, `a whole number from 0 to ${most}`, value);
    }
  }
}
