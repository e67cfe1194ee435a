import { describe, expect, test } from "vitest";
import type { StateResource } from "../backends/backend.js";
import { InvalidValueError } from "../core/errors.js";
import { CacheMemory } from "./cache-memory.js";

function state(first: number, elements: number): StateResource {
  const data = Float32Array.from({ length: elements }, (_, i) => first + i);
  return { data, bytes: data.byteLength, dispose: () => {} };
}

describe("the memory of a cache", () => {
  test("gives a block of all layers, keys before values, and takes it back elsewhere", () => {
    const cache = new CacheMemory([{ keys: state(0, 6), values: state(100, 12), window: 0 }], 3);
    expect(cache.blockBytes).toBe(24);
    const block = cache.readBlock(1);
    expect([...new Float32Array(block.buffer)]).toEqual([2, 3, 104, 105, 106, 107]);
    cache.writeBlock(2, block);
    expect([...cache.layers[0]!.values.data.subarray(8)]).toEqual([104, 105, 106, 107]);
    cache.copyBlock(0, 1);
    expect([...cache.layers[0]!.keys.data]).toEqual([0, 1, 0, 1, 2, 3]);
  });

  test("counts the blocks that a layer's window reaches, and no others", () => {
    const layer = (window: number) => ({ keys: state(0, 6), values: state(0, 12), window });
    const cache = new CacheMemory([layer(0), layer(20)], 3);
    expect(cache.blocksRead(cache.layers[0]!, 100, 100)).toEqual({ first: 0, end: 7 });
    expect(cache.blocksRead(cache.layers[1]!, 100, 100)).toEqual({ first: 5, end: 7 });
    expect(cache.blocksRead(cache.layers[1]!, 85, 100)).toEqual({ first: 4, end: 7 });
    expect(cache.bytesRead(100, 100)).toBe((7 + 2) * 24);
  });

  test("refuses a block of another size", () => {
    const cache = new CacheMemory([{ keys: state(0, 6), values: state(0, 6), window: 0 }], 3);
    expect(() => cache.writeBlock(0, new Uint8Array(9))).toThrow(InvalidValueError);
  });
});
