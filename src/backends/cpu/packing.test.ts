/** Matrices on their way into memory: any cut gives the same bytes, and nothing stays behind when the way ends early. */
import { describe, expect, test } from "vitest";
import { storageBytes, storageTypes } from "../../core/storage.js";
import type { MatrixSource } from "../backend.js";
import { CpuBackend } from "./cpu-backend.js";
import type { CpuRuntime } from "./cpu-runtime.js";
import { matrixStorageIds, type PackedStorage } from "./instructions.js";
import type { CpuMatrix } from "./memory.js";
import { createNativeRuntime, whyNoNativeRuntime } from "./native-runtime.node.js";
import { NodeWasmHost } from "./wasm-host.node.js";
import { createWasmRuntime } from "./wasm-runtime.js";

const host = new NodeWasmHost();
const native = whyNoNativeRuntime() === undefined;
const runtimes: readonly [string, () => Promise<CpuRuntime>][] = [
  ...(native ? [["native", async () => createNativeRuntime({ threads: 2 })!] as const] : []),
  ["wasm", () => createWasmRuntime(host, { threads: 2 })],
  ["wasm on one thread", () => createWasmRuntime(host, { threads: 1 })],
].map(([name, create]) => [name, create] as [string, () => Promise<CpuRuntime>]);

/** Bytes of every value, in no order. */
function someBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i++) bytes[i] = (i * 167 + (i >> 5) * 59 + 13) % 251;
  return bytes;
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;

/** The packed bytes when rows are handed over in pieces of these sizes, all under way at once. */
async function packed(
  runtime: CpuRuntime,
  storage: PackedStorage,
  shape: readonly [number, number],
  sizes: Iterable<number>,
): Promise<Uint8Array> {
  const [out, width] = shape;
  const rowBytes = storageBytes(storage, width);
  const rows = runtime.allocate(out * rowBytes);
  runtime.view(rows, out * rowBytes).set(someBytes(out * rowBytes));
  const bytes = runtime.packedBytes(matrixStorageIds[storage], out, width);
  const matrix = runtime.allocate(bytes);
  const pieces: Promise<void>[] = [];
  let first = 0;
  for (const size of sizes) {
    const from = rows + first * rowBytes;
    pieces.push(runtime.packRows(matrix, from, matrixStorageIds[storage], shape, first, size));
    first += size;
  }
  expect(first).toBe(out);
  await Promise.all(pieces);
  const result = runtime.view(matrix, bytes).slice();
  runtime.release(matrix, bytes);
  runtime.release(rows, out * rowBytes);
  return result;
}

describe.each(runtimes)("packing, %s", (_, create) => {
  for (const storage of Object.keys(matrixStorageIds) as PackedStorage[]) {
    test(`${storage}: whole panels give the same bytes as rows one by one`, async () => {
      const runtime = await create();
      const { blockSize } = storageTypes[storage];
      const widths = blockSize === 1 ? [1, 2, 3, 4, 7, 32, 65] : [blockSize, 2 * blockSize, 5 * blockSize];
      for (const width of widths) {
        for (const out of [1, 15, 16, 17, 48, 67]) {
          const shape = [out, width] as const;
          const byRow = await packed(
            runtime,
            storage,
            shape,
            Array.from({ length: out }, () => 1),
          );
          expect(same(await packed(runtime, storage, shape, [out]), byRow), `${shape}`).toBe(true);
          const ragged = [Math.min(out, 5), Math.min(out - 5, 30), out - 35].filter((size) => size > 0);
          expect(same(await packed(runtime, storage, shape, ragged), byRow), `${shape} in ${ragged}`).toBe(true);
        }
      }
      await runtime.dispose();
    });
  }

  test("a matrix of many pieces is the matrix of one", async () => {
    const runtime = await create();
    const backend = new CpuBackend(runtime);
    const shape = [1200, 544] as const;
    const content = someBytes(1200 * 544 * 4);
    const matrices = await Promise.all(
      Array.from({ length: 3 }, () => backend.loadMatrix(sourceOf(shape, content)) as Promise<CpuMatrix>),
    );
    const whole = await packed(runtime, "f32", shape, [1200]);
    for (const matrix of matrices) expect(same(matrix.bytesView(matrix.bytes), whole)).toBe(true);
    await backend.dispose();
  });
});

function sourceOf(shape: readonly [number, number], content: Uint8Array): MatrixSource {
  const rowBytes = shape[1] * 4;
  return {
    name: "weights",
    shape,
    storage: "f32",
    readRows: async (first, count, into) => into.set(content.subarray(first * rowBytes, (first + count) * rowBytes)),
  };
}

/** A runtime that counts what is held, and notices work on memory that is held no more. */
function watchedRuntime() {
  const held = new Map<number, number>();
  const trouble: string[] = [];
  let next = 64;
  const runtime = {
    name: "native",
    threads: 2,
    packedBytes: (_: number, out: number, width: number) => out * width * 4,
    allocate(bytes: number) {
      next += 64 + bytes;
      held.set(next, bytes);
      return next;
    },
    release: (address: number) => held.delete(address),
    view: (_: number, bytes: number) => new Uint8Array(bytes),
    async packRows(matrix: number, rows: number) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (!held.has(matrix) || !held.has(rows)) trouble.push("packed into memory that was released");
    },
    dispose: async () => {},
  };
  return { backend: new CpuBackend(runtime as unknown as CpuRuntime), held, trouble };
}

describe("a load that ends early", () => {
  const shape = [40_000, 256] as const;

  test("frees everything, after the pieces under way have ended", async () => {
    const { backend, held, trouble } = watchedRuntime();
    const reason = new Error("stop");
    let reads = 0;
    const source: MatrixSource = {
      ...sourceOf(shape, new Uint8Array()),
      readRows: async () => {
        if (++reads === 5) throw reason;
      },
    };
    await expect(backend.loadMatrix(source)).rejects.toBe(reason);
    expect(held.size).toBe(0);
    expect(reads).toBeLessThan(10);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(trouble).toEqual([]);
  });

  test("holds few pieces at a time, and asks for rows in their order", async () => {
    const { backend, held } = watchedRuntime();
    const asked: number[] = [];
    let most = 0;
    const source: MatrixSource = {
      ...sourceOf(shape, new Uint8Array()),
      readRows: async (first) => {
        asked.push(first);
        most = Math.max(most, held.size);
      },
    };
    const matrix = await backend.loadMatrix(source);
    expect(asked.length).toBeGreaterThan(20);
    expect(asked).toEqual(asked.toSorted((a, b) => a - b));
    expect(most).toBeLessThanOrEqual(backend.concurrentLoads + 1);
    matrix.dispose();
    expect(held.size).toBe(0);
  });
});
