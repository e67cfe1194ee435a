import { describe, expect, test } from "vitest";
import { BlockPool, CacheFullError } from "./block-pool.js";
import { BlockTable } from "./block-table.js";
import { PrefixTree } from "./prefix-tree.js";

const blockSize = 4;
const ids = (...blocks: number[]) => blocks.flatMap((block) => [block, block, block, block]);

function setUp(size: number, capacity: number) {
  const pool = new BlockPool(size, blockSize, () => {});
  const tree = new PrefixTree(pool, capacity, 100);
  /** Runs a sequence as a session does, and lets it go. */
  const run = (tokens: number[], salt = "") => {
    const table = new BlockTable(pool, 1000);
    const found = tree.adopt(table, tokens, tokens.length - 1, salt);
    table.reserve(tokens.length - found);
    tree.remember(table, tokens, salt);
    return { table, found };
  };
  /** Positions that a sequence would begin with. */
  const find = (tokens: number[]) => {
    const table = new BlockTable(pool, 1000);
    const found = tree.adopt(table, tokens, tokens.length - 1);
    table.dispose();
    return found;
  };
  return { pool, tree, run, find };
}

describe("a prefix tree", () => {
  test("finds the blocks of what begins alike, but never the last token", () => {
    const { pool, tree, run } = setUp(16, 16);
    const first = run(ids(1, 2, 3));
    expect(first.found).toBe(0);
    const blocks = [...first.table.blocks];
    first.table.dispose();
    expect([pool.used, tree.report.blocks]).toEqual([0, 3]);
    const same = run(ids(1, 2, 3));
    expect(same.found).toBe(8);
    expect(same.table.blocks.slice(0, 2)).toEqual(blocks.slice(0, 2));
    const longer = run([...ids(1, 2, 3), 9]);
    expect(longer.found).toBe(12);
    expect(run(ids(1, 4, 3)).found).toBe(4);
    expect(run([...ids(1, 2), 3, 3, 3, 7]).found).toBe(8);
    expect(run(ids(2, 3)).found).toBe(0);
    expect(tree.report).toMatchObject({ lookups: 6, hits: 4, tokensSaved: 32, bytes: tree.report.blocks * 100 });
  });

  test("keeps salts apart", () => {
    const { run } = setUp(16, 16);
    run(ids(1, 2), "a");
    expect(run(ids(1, 2), "b").found).toBe(0);
    expect(run(ids(1, 2)).found).toBe(0);
    expect(run(ids(1, 2), "a").found).toBe(4);
  });

  test("holds no more than it may, and gives up first what was used longest ago", () => {
    const { tree, run, find } = setUp(32, 4);
    run(ids(1, 2)).table.dispose();
    run(ids(3, 4)).table.dispose();
    run(ids(1, 2, 9)).table.dispose();
    expect(tree.report.blocks).toBe(4);
    expect(find(ids(3, 4, 4))).toBe(4);
    expect(find(ids(1, 2, 9, 9))).toBe(12);
    run(ids(5, 6, 7, 8, 9)).table.dispose();
    expect(tree.report.blocks).toBe(4);
  });

  test("a full pool takes back what nobody uses before it says that it is full", () => {
    const { pool, tree, run } = setUp(4, 4);
    run(ids(1, 2, 3)).table.dispose();
    expect(pool.used).toBe(0);
    const other = run(ids(7, 8));
    expect(pool.used).toBe(2);
    expect(tree.report.blocks).toBe(4);
    expect(run(ids(1, 2)).found).toBe(4);
    expect(pool.used).toBe(4);
    expect(() => run(ids(9))).toThrow(CacheFullError);
    other.table.dispose();
    expect(run(ids(9)).found).toBe(0);
  });

  test("a block is not written by one while another may find it", () => {
    const { pool, run } = setUp(8, 8);
    const { table } = run(ids(1, 2));
    const [first, second] = [...table.blocks];
    table.truncate(6);
    table.reserve(1);
    expect(table.blocks[0]).toBe(first);
    expect(table.blocks[1]).not.toBe(second);
    table.dispose();
    expect(pool.used).toBe(0);
  });

  test("does not remember what a shift has moved", () => {
    const { tree, run } = setUp(8, 8);
    const { table } = run(ids(1));
    tree.clear();
    table.reserve(8);
    table.exactLength = 5;
    tree.remember(table, ids(1, 2, 3));
    expect(tree.report.blocks).toBe(1);
    tree.clear();
    expect(tree.report.blocks).toBe(0);
  });
});
