/** Writes a llama2.c checkpoint (version 0) of a given shape with random weights, and a tokenizer file to go with it. */
import { open, writeFile } from "node:fs/promises";
import type { Shape } from "./shapes.js";

/** Writes `path` and, beside it with the ending `.tok`, a tokenizer of made-up pieces. */
export async function writeLlama2c(path: string, shape: Shape): Promise<void> {
  const { hiddenSize, intermediateSize, layerCount, headCount, keyValueHeadCount, vocabSize, contextLength } = shape;
  const header = new Int32Array([
    hiddenSize,
    intermediateSize,
    layerCount,
    headCount,
    keyValueHeadCount,
    vocabSize,
    contextLength,
  ]);
  const headDim = hiddenSize / headCount;
  const perLayer =
    2 * hiddenSize +
    2 * hiddenSize * hiddenSize +
    2 * hiddenSize * headDim * keyValueHeadCount +
    3 * hiddenSize * intermediateSize;
  let left = vocabSize * hiddenSize + layerCount * perLayer + hiddenSize + contextLength * headDim;
  const file = await open(path, "w");
  try {
    await file.write(new Uint8Array(header.buffer));
    const piece = Float32Array.from({ length: 1 << 18 }, (_, i) => Math.sin(i * 12.9898) * 0.05);
    for (; left > 0; left -= piece.length) {
      const count = Math.min(left, piece.length);
      await file.write(new Uint8Array(piece.buffer, 0, count * 4));
    }
  } finally {
    await file.close();
  }
  await writeFile(path.replace(/\.bin$/, ".tok"), tokenizer(vocabSize));
}

/** int32 longest length, then per piece float32 score, int32 length, bytes. */
function tokenizer(vocabSize: number): Uint8Array {
  const text = new TextEncoder();
  const pieces = Array.from({ length: vocabSize }, (_, id) => text.encode(id === 3 ? " " : `t${id}`));
  const bytes = new Uint8Array(4 + pieces.reduce((sum, piece) => sum + 8 + piece.length, 0));
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 8, true);
  let at = 4;
  for (const [id, piece] of pieces.entries()) {
    view.setFloat32(at, -id, true);
    view.setInt32(at + 4, piece.length, true);
    bytes.set(piece, at + 8);
    at += 8 + piece.length;
  }
  return bytes;
}
