import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BlockPool, CacheFullError } from "./block-pool.js";
import { BlockTable, ContextFullError } from "./block-table.js";

function pool(size: number, contents = new Map<number, string>()): BlockPool {
  return new BlockPool(size, 16, (from, to) => contents.set(to, contents.get(from) ?? ""));
}

describe("a block table", () => {
  test("takes a block per 16 positions and gives each position a slot of its own", () => {
    const table = new BlockTable(pool(10), 100);
    table.reserve(40);
    expect(table.blocks).toHaveLength(3);
    expect(new Set(Array.from({ length: 40 }, (_, i) => table.slot(i))).size).toBe(40);
  });

  test("shares blocks with a fork until one of them writes", () => {
    const blocks = pool(10);
    const table = new BlockTable(blocks, 100);
    table.reserve(20);
    const fork = table.fork();
    expect(blocks.used).toBe(2);
    fork.reserve(1);
    expect(blocks.used).toBe(3);
    expect(fork.slot(0)).toBe(table.slot(0));
    expect(fork.slot(19)).not.toBe(table.slot(19));
  });

  test("does not copy a block that it alone writes", () => {
    const blocks = pool(10);
    const table = new BlockTable(blocks, 100);
    table.reserve(32);
    const fork = table.fork();
    fork.reserve(1);
    expect(fork.slot(31)).toBe(table.slot(31));
    expect(blocks.used).toBe(3);
  });

  test("says what is full, and is unchanged by the refusal", () => {
    const blocks = pool(3);
    const table = new BlockTable(blocks, 100);
    table.reserve(20);
    expect(() => table.reserve(90)).toThrow(ContextFullError);
    expect(() => table.reserve(60)).toThrow(CacheFullError);
    expect([table.length, table.blocks.length, blocks.used]).toEqual([20, 2, 2]);
  });

  test("a pool ends as it began, whatever forks, writes and cuts happened", () => {
    const action = fc.tuple(fc.constantFrom("reserve", "truncate", "fork", "dispose"), fc.nat(5), fc.nat(40));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const blocks = pool(1000);
        const tables = [new BlockTable(blocks, 10_000)];
        for (const [kind, which, amount] of actions) {
          const table = tables[which % tables.length]!;
          if (kind === "reserve") table.reserve(amount);
          if (kind === "truncate") table.truncate(Math.min(amount, table.length));
          if (kind === "fork") tables.push(table.fork());
          if (kind === "dispose") table.dispose();
        }
        for (const table of tables) table.dispose();
        expect(blocks.used).toBe(0);
      }),
    );
  });
});
