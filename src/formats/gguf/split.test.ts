import { describe, expect, test } from "vitest";
import { MemorySink } from "../byte-sink.js";
import { memoryFolder } from "../folder.js";
import { memoryTensor } from "../stored-tensor.js";
import { readSplitGguf } from "./split.js";
import { type GgufContents, writeGguf } from "./write.js";

async function part(metadata: GgufContents["metadata"], ...names: string[]): Promise<Uint8Array> {
  const sink = new MemorySink();
  await writeGguf(sink, { metadata, tensors: names.map((name) => memoryTensor(name, [1], "f32", Float32Array.of(1))) });
  return sink.bytes();
}

describe("a GGUF checkpoint in parts", () => {
  const first = "m-00001-of-00002.gguf";
  const second = "m-00002-of-00002.gguf";

  test("opens as one, by any part", async () => {
    const files = new Map([
      [first, await part([["general.name", { type: "string", value: "m" }]], "a", "b")],
      [second, await part([], "c")],
      ["whole.gguf", await part([], "d")],
      ["m-00001-of-00000.gguf", await part([], "d")],
    ]);
    for (const name of [first, second]) {
      const file = await readSplitGguf(memoryFolder(files), name);
      expect([...file.tensors.keys()]).toEqual(["a", "b", "c"]);
      expect(file.metadata.string("general.name")).toBe("m");
    }
    for (const name of ["whole.gguf", "m-00001-of-00000.gguf"]) {
      expect([...(await readSplitGguf(memoryFolder(files), name)).tensors.keys()]).toEqual(["d"]);
    }
  });

  test("without a part, or with a tensor in two, is refused", async () => {
    const absent = readSplitGguf(memoryFolder(new Map([[first, await part([], "a")]])), first);
    await expect(absent).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: expect.stringMatching(/part 2 of 2/),
    });
    const twice = new Map([
      [first, await part([], "a")],
      [second, await part([], "a")],
    ]);
    await expect(readSplitGguf(memoryFolder(twice), first)).rejects.toThrow(/"a" name: stands in two parts/);
  });
});
