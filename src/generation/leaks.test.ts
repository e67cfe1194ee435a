/** Sessions that are disposed leave nothing behind, however they were used. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { randomModel } from "../../test/support/tiny-model.js";
import { DisposedError } from "../core/errors.js";
import type { Model } from "./model.js";

let model: Model;

beforeAll(async () => {
  model = await randomModel({ contextLength: 128, cache: { prefixes: { bytes: 40 * 18_432 } } });
});
afterAll(() => model.dispose());

/** One session opened, stepped, forked, edited, shifted, saved and restored now and then, and disposed. */
async function live(i: number): Promise<void> {
  using session = await model.session([i % 500, 7, 8, i % 13]);
  await session.step();
  using fork = session.fork();
  if (i % 50 === 0) {
    fork.extend(Array.from({ length: 60 }, (_, at) => (at * i) % 500));
    await fork.step();
    fork.edit(30, 3);
    await fork.shift({ keep: 2, discard: 9 });
    using restored = await model.restore(await fork.save());
    await restored.step();
    await expect(model.restore(new Uint8Array(100))).rejects.toThrow();
  }
}

const heap = (): number => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers, external } = process.memoryUsage();
  return heapUsed + arrayBuffers + external;
};

test("10,000 sessions opened, forked and disposed end at the starting memory", async () => {
  for (let i = 0; i < 1000; i++) await live(i);
  const [before, resident] = [heap(), process.memoryUsage().rss];
  for (let i = 0; i < 10_000; i++) await live(i);
  expect(model.engine.pool.used).toBe(0);
  expect(model.prefixes!.blocks).toBeLessThanOrEqual(40);
  // Without a collection that can be asked for, what is not yet collected counts too: less than a kilobyte each.
  expect(heap() - before).toBeLessThan(globalThis.gc === undefined ? 64 * 2 ** 20 : 2 ** 20);
  expect(process.memoryUsage().rss - resident).toBeLessThan(96 * 2 ** 20);
}, 120_000);

test("everything of a disposed session says so", async () => {
  const session = await model.session([1, 2, 3]);
  await session.step();
  session.dispose();
  expect(() => session.fork()).toThrow(DisposedError);
  expect(() => session.edit(0, 1)).toThrow(DisposedError);
  expect(() => session.stepNow()).toThrow(DisposedError);
  await expect(session.shift({ keep: 1 })).rejects.toThrow(DisposedError);
  await expect(session.save()).rejects.toThrow(DisposedError);
  await expect(session.shiftDivergence()).rejects.toThrow(DisposedError);
});
