import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (file: string) => fileURLToPath(new URL(`src/${file}`, import.meta.url));

export default defineConfig({
  // What the package is called by those who use it: the examples.
  resolve: { alias: { "hitherto/training": source("training/index.node.ts"), hitherto: source("index.node.ts") } },
  test: { include: ["src/**/*.test.ts", "test/**/*.test.ts"], testTimeout: 60_000 },
});
