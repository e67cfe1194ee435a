import { defineConfig } from "vitest/config";

/** The check of instruction sets alone: one after the other, with nothing else beside it. */
export default defineConfig({ test: { include: ["bench/instruction-sets.bench.ts"], fileParallelism: false } });
