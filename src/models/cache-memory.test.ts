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
    const cache = new CacheMemory([state(0, 6), state(100, 12)], 3);
    expect(cache.blockBytes).toBe(24);
    const block = cache.readBlock(1);
    expect([...new Float32Array(block.buffer)]).toEqual([2, 3, 104, 105, 106, 107]);
    cache.writeBlock(2, block);
    expect([...cache.states[1]!.data.subarray(8)]).toEqual([104, 105, 106, 107]);
    cache.copyBlock(0, 1);
    expect([...cache.states[0]!.data]).toEqual([0, 1, 0, 1, 2, 3]);
  });

  test("refuses a block of another size", () => {
    const cache = new CacheMemory([state(0, 6)], 3);
    expect(() => cache.writeBlock(0, new Uint8Array(9))).toThrow(InvalidValueError);
  });
});
