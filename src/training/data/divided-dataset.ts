/** What data sets share that are divided into records to train on and records held out. */
import type { Example } from "./batch.js";
import type { Division } from "./divide.js";
import type { TokenRecords } from "./records.js";

/** What a data set is put together from. */
export interface DatasetParts {
  readonly records: TokenRecords;
  readonly division: Division;
  /** The texts held out, in order. */
  readonly heldOutExamples: () => AsyncGenerator<Example, void>;
}

export abstract class DividedDataset {
  readonly heldOutBytes: number;
  readonly summary;
  readonly heldOutExamples;

  constructor(protected readonly parts: DatasetParts) {
    const { division, heldOutExamples } = parts;
    this.heldOutBytes = sum(division.heldOut, (record) => division.heldOutRecords.bytes[record]);
    this.summary = division.summary;
    this.heldOutExamples = heldOutExamples;
  }

  /** Closes the files, each once. */
  async close(): Promise<void> {
    const { records, division } = this.parts;
    for (const each of new Set([records, division.heldOutRecords])) await each.close();
  }
}

/** Σ over records. */
export function sum(records: Int32Array, of: (record: number) => number): number {
  let total = 0;
  for (const record of records) total += of(record);
  return total;
}
