/** What stores promise: a checkpoint is there whole or not at all. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readWholeText } from "../formats/index.js";
import { pruneCheckpoints } from "./checkpoint.js";
import { CheckpointFolder } from "./checkpoint-folder.node.js";
import { type CheckpointStore, MemoryCheckpointStore } from "./checkpoint-store.js";

const folder = mkdtempSync(join(tmpdir(), "hitherto-store-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (store: CheckpointStore, step: number, text: string) =>
  store.write(step, async (create) => {
    const sink = await create("note.txt");
    await sink.write(new TextEncoder().encode(text));
    await sink.close();
  });
const read = async (store: CheckpointStore, step: number) => readWholeText(await store.open(step), "note.txt", 100);

describe.each([
  ["memory", () => new MemoryCheckpointStore()],
  ["folder", () => new CheckpointFolder(mkdtempSync(join(folder, "run-")))],
])("a store in a %s", (_, create) => {
  test("gives back what was written, by step", async () => {
    const store = create();
    expect(await store.steps()).toEqual([]);
    await write(store, 100, "hundred");
    await write(store, 20, "twenty");
    expect(await store.steps()).toEqual([20, 100]);
    expect(await read(store, 100)).toBe("hundred");
    await write(store, 100, "again");
    expect(await read(store, 100)).toBe("again");
    await store.remove(20);
    await store.remove(20);
    expect(await store.steps()).toEqual([100]);
  });

  test("keeps what it had when writing fails", async () => {
    const store = create();
    await write(store, 1, "good");
    const failing = store.write(1, async (create) => {
      const sink = await create("note.txt");
      await sink.write(new TextEncoder().encode("half"));
      await sink.close();
      throw new Error("no space left");
    });
    await expect(failing).rejects.toThrow("no space left");
    expect(await read(store, 1)).toBe("good");
  });

  test("keeps the newest, and the best", async () => {
    const store = create();
    for (const step of [10, 20, 30, 40]) await write(store, step, "x");
    await pruneCheckpoints(store, 2, 10);
    expect(await store.steps()).toEqual([10, 30, 40]);
  });
});

describe("a store in a folder", () => {
  test("does not take for a checkpoint what a killed run left, and clears it away", async () => {
    const path = mkdtempSync(join(folder, "killed-"));
    mkdirSync(join(path, ".step-7.partial"));
    writeFileSync(join(path, ".step-7.partial", "note.txt"), "half");
    mkdirSync(join(path, ".step-3.removed"));
    const store = new CheckpointFolder(path);
    expect(await store.steps()).toEqual([]);
    await write(store, 8, "whole");
    expect(readdirSync(path)).toEqual(["step-8"]);
  });

  test("gives a checkpoint its name back when the one that was to replace it never came", async () => {
    const path = mkdtempSync(join(folder, "replaced-"));
    const store = new CheckpointFolder(path);
    await write(store, 5, "old");
    renameSync(join(path, "step-5"), join(path, ".step-5.replaced"));
    expect(await store.steps()).toEqual([5]);
    expect(await read(store, 5)).toBe("old");
  });
});
