/** Sums over rows, which are taken chunk by chunk in memory of the instruction's own: `kernels/column_sums.c`. */
import { capacityElements, capacityOf, rowWidth, type Tensor } from "../../graph/tensor.js";
import { type RowCount, rowsArgument } from "./instructions.js";
import type { LoweringSite } from "./lowering-site.js";

/** Rows whose sums are taken first, before those of the next: HH_CHUNK_ROWS of `kernels/shares.h`. */
const chunkRows = 32;
/** Of an instruction whose work is not in rows. */
const once: RowCount = { fixed: 1 };

/** Bytes of the sums of each chunk of x's rows. @param width - of a row of sums. Default: as wide as x */
export function chunkBytes(x: Tensor, width = rowWidth(x)): number {
  return Math.ceil(capacityOf(x.shape[0]!) / chunkRows) * width * 4;
}

/** The sum of the chunks of x's rows, whose sums for each result lie side by side in rows of `stride`. */
export function addChunks(site: LoweringSite, x: Tensor, results: readonly Tensor[], stride: number): void {
  const vectors = results.flatMap((result, index) => {
    const { address, adds } = site.target(result);
    const width = capacityElements(result);
    return [index * width, address, width, adds ? 1 : 0];
  });
  const args = [site.scratch, stride, rowsArgument(site.rows(x)), results.length, ...vectors];
  site.writer.write("sum_chunks", once, chunkBytes(x, stride) * 0.05, args);
}
