import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { ByteSource } from "../core/checkpoint.js";
import { BlobSource } from "./blob-source.js";
import { createFileSink } from "./file-sink.node.js";
import { openFileSource } from "./file-source.node.js";
import { MemorySource } from "./memory-source.js";

const folder = mkdtempSync(join(tmpdir(), "hitherto-"));
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
writeFileSync(join(folder, "thousand"), bytes);

const sources: [string, () => Promise<ByteSource>][] = [
  ["memory", async () => new MemorySource(bytes)],
  ["blob", async () => new BlobSource(new Blob([bytes]))],
  ["file", () => openFileSource(join(folder, "thousand"))],
];

describe.each(sources)("a byte source in a %s", (_, open) => {
  test("reads any range, and all of it", async () => {
    const source = await open();
    expect(source.size).toBe(1000);
    for (const [offset, length] of [
      [0, 1000],
      [999, 1],
      [10, 100],
      [1000, 0],
    ]) {
      const into = new Uint8Array(length);
      await source.read(offset, into);
      expect(into).toEqual(bytes.slice(offset, offset + length));
    }
    await source.close();
  });

  test("refuses what lies outside", async () => {
    const source = await open();
    await expect(source.read(999, new Uint8Array(2))).rejects.toMatchObject({ code: "TRUNCATED_FILE" });
    await expect(source.read(-1, new Uint8Array(1))).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
    await expect(source.read(0.5, new Uint8Array(1))).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
    await source.close();
  });
});

describe("a file source", () => {
  test("says when there is no such file, or it is a folder, or it was closed", async () => {
    await expect(openFileSource(join(folder, "absent"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await expect(openFileSource(folder)).rejects.toMatchObject({ code: "INVALID_VALUE" });
    const source = await openFileSource(join(folder, "thousand"));
    await source.close();
    await source.close();
    await expect(source.read(0, new Uint8Array(1))).rejects.toMatchObject({ code: "DISPOSED" });
  });
});

describe("a file sink", () => {
  test("gives the file its name only when it is whole", async () => {
    const path = join(folder, "written");
    const given = await createFileSink(path);
    await given.write(bytes);
    await given.abort();
    await expect(openFileSource(path)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });

    const kept = await createFileSink(path);
    await kept.write(bytes.subarray(0, 500));
    await expect(openFileSource(path)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await kept.write(bytes.subarray(500));
    await kept.close();
    const source = await openFileSource(path);
    const into = new Uint8Array(1000);
    await source.read(0, into);
    expect(into).toEqual(bytes);
    await source.close();
  });
});
