import { describe, expect, test } from "vitest";
import { MemorySink } from "../byte-sink.js";
import { memoryFolder } from "../folder.js";
import { memoryTensor, readTensorBytes } from "../stored-tensor.js";
import { readShardedSafetensors, writeShardedSafetensors } from "./sharded.js";

const index = "model.safetensors.index.json";
const tensors = ["a", "b", "c"].map((name, i) => memoryTensor(name, [2], "f32", Float32Array.of(i, i + 0.5)));

async function written(maxShardBytes: number): Promise<Map<string, Uint8Array>> {
  const sinks = new Map<string, MemorySink>();
  const create = async (name: string) => {
    const sink = new MemorySink(name);
    sinks.set(name, sink);
    return sink;
  };
  const files = await writeShardedSafetensors(create, tensors, { maxShardBytes });
  expect(files.sort()).toEqual([...sinks.keys()].sort());
  return new Map([...sinks].map(([name, sink]) => [name, sink.bytes()]));
}

describe("sharded safetensors", () => {
  test("a small checkpoint is one file without an index", async () => {
    expect([...(await written(1000)).keys()]).toEqual(["model.safetensors"]);
  });

  test("what is written in shards reads back the same", async () => {
    const files = await written(16);
    expect([...files.keys()]).toEqual(["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", index]);
    expect(JSON.parse(new TextDecoder().decode(files.get(index)))).toEqual({
      metadata: { total_size: 24 },
      weight_map: {
        a: "model-00001-of-00002.safetensors",
        b: "model-00001-of-00002.safetensors",
        c: "model-00002-of-00002.safetensors",
      },
    });
    const read = await readShardedSafetensors(memoryFolder(files), index);
    for (const tensor of tensors) {
      expect(await readTensorBytes(read.tensors.get(tensor.name)!)).toEqual(await readTensorBytes(tensor));
    }
  });

  test("an absent shard, a tensor that a shard lacks, and a way out of the folder are refused", async () => {
    const files = await written(16);
    const refusal = (indexed: Map<string, Uint8Array>) => readShardedSafetensors(memoryFolder(indexed), index);
    const mapping = (map: unknown) => new TextEncoder().encode(JSON.stringify({ weight_map: map }));

    const absent = new Map(files);
    absent.delete("model-00002-of-00002.safetensors");
    await expect(refusal(absent)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });

    const lacking = new Map(files).set(index, mapping({ d: "model-00001-of-00002.safetensors" }));
    await expect(refusal(lacking)).rejects.toMatchObject({ code: "MISSING_TENSOR", tensor: "d" });

    for (const name of ["../secret.safetensors", "/etc/passwd", "a\\b", "..", ""]) {
      await expect(refusal(new Map(files).set(index, mapping({ a: name })))).rejects.toThrow(/no plain file name/);
    }
    await expect(refusal(new Map(files).set(index, new TextEncoder().encode("{}")))).rejects.toThrow(/weight_map/);
  });
});
