import { describe, expect, test } from "vitest";
import { llamaConfig, randomLlama, smallShape } from "../../test/support/random-llama.js";
import type { StoredTensor } from "../core/checkpoint.js";
import { UnsupportedError } from "../core/errors.js";
import { dequantize, memoryTensor } from "../formats/index.js";
import { interpret } from "./checkpoint.js";
import { ConfigReader } from "./config-reader.js";
import { locate } from "./weights.js";

const checkpointOf = (tensor: StoredTensor) => ({ path: "test", tensors: new Map([[tensor.name, tensor]]) });

describe("a parameter's tensor", () => {
  test("of whole numbers is refused: the scales that make them weights are elsewhere", () => {
    for (const storage of ["i8", "u8", "i32"] as const) {
      const bytes = new Uint8Array(6 * (storage === "i32" ? 4 : 1));
      const checkpoint = checkpointOf(memoryTensor("w", [2, 3], storage, bytes));
      expect(() => locate(checkpoint, "p", [2, 3], { tensor: "w" }, dequantize)).toThrow(UnsupportedError);
    }
  });

  test("that is read transposed is let go with the last row", async () => {
    const stored = memoryTensor("w", [3, 2], "f32", Float32Array.of(1, 2, 3, 4, 5, 6));
    let reads = 0;
    const counting: StoredTensor = {
      ...stored,
      shape: stored.shape,
      read: (at, into) => {
        reads++;
        return stored.read(at, into);
      },
    };
    const rows = locate(checkpointOf(counting), "p", [2, 3], { tensor: "w", transposed: true }, dequantize);
    const into = new Float32Array(6);
    for (let pass = 1; pass <= 2; pass++) {
      await rows.readRows(0, 1, new Uint8Array(into.buffer, 0, 12));
      await rows.readRows(1, 1, new Uint8Array(into.buffer, 12, 12));
      expect([...into]).toEqual([1, 3, 5, 2, 4, 6]);
      expect(reads).toBe(pass);
    }
  });
});

test("a configuration that says that the weights are quantized is refused by the method's name", () => {
  const quantization_config = { quant_method: "bitsandbytes", load_in_8bit: true };
  const config = new ConfigReader({ ...llamaConfig(smallShape), quantization_config });
  expect(() => interpret({ ...randomLlama(smallShape), config })).toThrow(/quantization_config "bitsandbytes"/);
});
