/** What the package offers: its entries, and that those for browsers hold nothing of Node. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Rolldown } from "vite";
import { describe, expect, test } from "vitest";

const repository = join(dirname(fileURLToPath(import.meta.url)), "..");
const { exports: entries } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));

/** Every file that package.json names, as the source it is compiled from. */
function sourcesOf(entry: unknown): string[] {
  if (typeof entry !== "string") return Object.values(entry as object).flatMap(sourcesOf);
  if (entry === "./dist/wasm/*") return ["tools/wasm.ts"]; // what makes them
  return [entry.replace(/^\.\/dist\//, "src/").replace(/(\.d\.ts|\.js)$/, ".ts")];
}

async function bundle(entry: string): Promise<Rolldown.OutputChunk[]> {
  const result = await build({
    configFile: false,
    root: repository,
    logLevel: "silent",
    build: {
      write: false,
      minify: false,
      lib: { entry: join(repository, entry), formats: ["es"], fileName: "bundle" },
      rolldownOptions: { external: (name: string) => name.startsWith("node:") },
    },
  });
  const outputs = (Array.isArray(result) ? result : [result]) as Rolldown.RolldownOutput[];
  return outputs.flatMap(({ output }) => output.filter((item) => item.type === "chunk"));
}

describe("package exports", () => {
  test("every entry has its source", () => {
    const missing = sourcesOf(entries).filter((path) => !existsSync(join(repository, path)));
    expect(missing).toEqual([]);
  });

  test("in Node, everything of the browser's entry and what needs a system", async () => {
    const [browser, node] = await Promise.all([import("../src/index.js"), import("../src/index.node.js")]);
    expect(Object.keys(node)).toEqual(expect.arrayContaining(Object.keys(browser)));
    expect(browser).toHaveProperty("modelFrom");
    // One name, and in each place the one that works there.
    expect(node.loadModel).not.toBe(browser.loadModel);
  });

  test.each(["src/index.ts", "src/formats/index.ts", "src/tokenizers/index.ts", "src/training/index.ts"])(
    "%s bundles for a browser",
    async (entry) => {
      const chunks = await bundle(entry);
      expect(chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports])).toEqual([]);
      const code = chunks.map((chunk) => chunk.code).join("\n");
      expect(code.length).toBeGreaterThan(10_000);
      // Comments are bundled too, so only what no sentence contains is looked for.
      const node = /^.*(["'`]node:|\bprocess\.\w|\bBuffer\.|__dirname).*$/gm;
      expect(code.match(node) ?? []).toEqual([]);
    },
  );

  test("what is published was built for no one machine, and can be built for any", () => {
    const words = ["pack", "--dry-run", "--json", "--ignore-scripts"];
    const listing = execFileSync("npm", words, {
      cwd: repository,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    for (const path of ["README.md", "kernels/addon.c", "models/stories/model.safetensors"])
      expect(listing).toContain(`"${path}"`);
    expect(listing).not.toMatch(/"dist\/(native|bench|examples)\//);
  });

  test("the check would find what it looks for", async () => {
    const chunks = await bundle("src/index.node.ts");
    expect(chunks.flatMap((chunk) => chunk.imports).some((name) => name.startsWith("node:"))).toBe(true);
  });
});
