/**
 * Which model this is: a digest of its configuration and of its weights as they were read, so that what was computed by
 * one model is not taken for another's.
 *
 * Of every tensor a few rows count, spread evenly over it, and its name, shape and storage type: training or converting
 * changes some of them all but surely. They are taken as they pass on their way to the backend; nothing is read for it.
 */
import { Digest } from "../core/checksum.js";
import { storageBytes } from "../core/storage.js";
import type { ModelConfig } from "./config.js";
import type { LocatedRows } from "./weights.js";

/** Rows of a tensor that count, at most. */
const sampledRows = 8;

export class Fingerprint {
  /** By parameter: what it is, and digests of its rows. */
  readonly #tensors = new Map<string, { readonly what: string; readonly rows: Map<number, string> }>();

  /** The same rows, noted as they are read. */
  watch(parameter: string, located: LocatedRows): LocatedRows {
    const { shape, storage, readRows } = located;
    const rows = new Map<number, string>();
    this.#tensors.set(parameter, { what: `${storage} ${shape.join(" ")}`, rows });
    const wanted = new Set(Array.from({ length: sampledRows }, (_, i) => Math.floor((i * shape[0]) / sampledRows)));
    const rowBytes = storageBytes(storage, shape[1]);
    return {
      ...located,
      readRows: async (first, count, into) => {
        await readRows(first, count, into);
        for (const row of wanted) {
          if (row < first || row >= first + count) continue;
          const start = (row - first) * rowBytes;
          rows.set(row, new Digest().add(into.subarray(start, start + rowBytes)).hex);
        }
      },
    };
  }

  /** Sixteen hexadecimal digits, once everything has been read. */
  of({ kind, vocabSize, decoder, head, ...others }: ModelConfig): string {
    const encoder = "encoder" in others ? others.encoder : undefined;
    const digest = new Digest().addText(JSON.stringify({ kind, vocabSize, decoder, encoder, head }, plain));
    for (const [parameter, { what, rows }] of [...this.#tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const digests = [...rows].sort(([a], [b]) => a - b).map(([, hex]) => hex);
      digest.addText(`${parameter} ${what} ${digests.join(" ")}`);
    }
    return digest.hex;
  }
}

/** JSON has no typed arrays. */
function plain(_: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value;
}
