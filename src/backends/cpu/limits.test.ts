import { describe, expect, test } from "vitest";
import { availableBackends } from "../../../test/support/backends.js";
import { createBackend } from "../../load-model.node.js";

const options = { workingSetBytes: 100_000, memoryBytes: 2 ** 24 };

describe.each(availableBackends.filter((name) => name !== "reference"))("the machine's limits: %s", (name) => {
  test("are rates that a processor of these years can have", async () => {
    const backend = await createBackend({ backend: name, threads: 2 });
    const limits = await backend.measureLimits!(options);
    await backend.dispose();
    for (const { one, all } of [limits.memoryRead, limits.workingSetRead]) {
      expect(Math.min(one, all)).toBeGreaterThan(1e8);
      expect(Math.max(one, all)).toBeLessThan(2e12);
    }
    // Were the arithmetic optimised away, it would seem to be done in no time.
    for (const { one, all } of [limits.floatOperations, limits.byteOperations]) {
      expect(Math.min(one, all)).toBeGreaterThan(1e8);
      expect(Math.max(one, all)).toBeLessThan(1e14);
    }
  });

  test("can be given up", async () => {
    const backend = await createBackend({ backend: name, threads: 1 });
    const reason = new Error("enough");
    await expect(backend.measureLimits!({ ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await backend.dispose();
  });
});
