/** Puts sequences into batches, as many whole ones as fit. */

/** Sequences of one pass in the order in which they are used, and where each batch of them begins. */
export interface BatchPlan {
  /** Sequence numbers, batch after batch. */
  readonly sequences: Int32Array;
  /** [batches + 1]: batch b has sequences[bounds[b] … bounds[b + 1] − 1]. */
  readonly bounds: Int32Array;
}

/** Rows that a sequence needs, of each side. */
export type RowsOf = (sequence: number) => number;

/** Most sequences that are looked through for one that still fits. */
const lookahead = 64;

/**
 * Fills batches first fit: from the front of `order`, and when the next sequence does not fit, with the first of the
 * following ones that does. Every sequence must fit into an empty batch.
 *
 * @param order - sequence numbers
 * @param rows - target rows of a sequence; at most `most.rows` of them in a batch
 * @param sourceRows - source rows likewise, where there are any
 * @param ahead - 1 keeps the order as it is
 */
export function fillBatches(
  order: Int32Array,
  most: { readonly rows: number; readonly sourceRows: number },
  rows: RowsOf,
  sourceRows: RowsOf = () => 0,
  ahead = lookahead,
): BatchPlan {
  const sequences = new Int32Array(order.length);
  const bounds: number[] = [0];
  const waiting: number[] = [];
  let [placed, taken, at] = [0, 0, 0];
  let [room, sourceRoom] = [most.rows, most.sourceRows];
  while (placed < order.length) {
    while (waiting.length < ahead && taken < order.length) waiting.push(order[taken++]);
    while (at < waiting.length && !(rows(waiting[at]) <= room && sourceRows(waiting[at]) <= sourceRoom)) at++;
    if (at === waiting.length) {
      bounds.push(placed);
      [room, sourceRoom, at] = [most.rows, most.sourceRows, 0];
      continue;
    }
    const [sequence] = waiting.splice(at, 1);
    room -= rows(sequence);
    sourceRoom -= sourceRows(sequence);
    sequences[placed++] = sequence;
  }
  if (placed > bounds.at(-1)!) bounds.push(placed);
  return { sequences, bounds: Int32Array.from(bounds) };
}

/** The same batches in another order: batch b of the result is batch order[b] of `plan`. */
export function reorderBatches(plan: BatchPlan, order: Int32Array): BatchPlan {
  const sequences = new Int32Array(plan.sequences.length);
  const bounds = new Int32Array(plan.bounds.length);
  order.forEach((batch, index) => {
    const members = plan.sequences.subarray(plan.bounds[batch], plan.bounds[batch + 1]);
    sequences.set(members, bounds[index]);
    bounds[index + 1] = bounds[index] + members.length;
  });
  return { sequences, bounds };
}
