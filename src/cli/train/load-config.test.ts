/** From files to configurations: JSON, TypeScript, paths, and what is refused. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { temporaryFolder } from "../../../test/support/tiny-checkpoint.js";
import { packageFolder } from "../../embedded-models.node.js";
import { loadConfig } from "./load-config.js";
import { importTypeScript } from "./type-stripping.js";

const folder = temporaryFolder();
writeFileSync(join(folder, "text.txt"), "one\ntwo\n");

const small = {
  model: { kind: "new", config: { model_type: "gpt2" } },
  tokenizer: { kind: "bytes" },
  data: { kind: "text", files: ["text.txt"] },
  batch: { contextLength: 16 },
  schedule: { kind: "constant", steps: 3 },
};

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

afterEach(() => vi.unstubAllEnvs());

describe("a configuration's file", () => {
  test("names the run, and paths are read from its folder", async () => {
    const config = await loadConfig(file("first.json", small), ["run.seed=5"]);
    expect(config.run).toEqual({ name: "first", folder: resolve("runs/first"), seed: 5 });
    expect(config.data).toMatchObject({ files: [join(folder, "text.txt")] });
  });

  test("an unknown key is told with the file's name", async () => {
    const path = file("wrong.json", { ...small, batch: { contextLenght: 16 } });
    await expect(loadConfig(path)).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringMatching(/wrong\.json: batch\.contextLenght: unknown key; did you mean "contextLength"\?/),
    });
  });

  test.each([
    ["broken.json", "{,}", { code: "INVALID_CONFIG", message: expect.stringMatching(/broken\.json: is not JSON: /) }],
    ["run.yaml", "a: 1", { code: "INVALID_VALUE" }],
    [
      "empty.ts",
      "export const a = 1;",
      { code: "TYPESCRIPT_FILE", message: expect.stringMatching(/no default export/) },
    ],
    ["bad.ts", "export default {;", { code: "TYPESCRIPT_FILE" }],
  ])("%s is refused", async (name, content, error) => {
    await expect(loadConfig(file(name, content))).rejects.toMatchObject(error);
  });

  test("one that is not there is told as such", async () => {
    await expect(loadConfig(join(folder, "no.json"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });
});

describe("a configuration in TypeScript", () => {
  test.each(["config.ts", "config.mts"])("%s is read with its types and its imports", async (name) => {
    mkdirSync(join(folder, "parts"), { recursive: true });
    file("parts/steps.ts", "export const steps: number = 3;");
    const source = `import { steps } from "./parts/steps.ts";
      import type { TrainingConfig } from "hitherto/training";
      const rest = ${JSON.stringify(small)} as const;
      export default { ...rest, schedule: { kind: "constant", steps: steps as number } } satisfies TrainingConfig;`;
    const config = await loadConfig(file(name, source));
    expect(config.schedule).toMatchObject({ kind: "constant", steps: 3 });
  });

  test("where nothing reads TypeScript, the error says what would", async () => {
    const path = file("unread.ts", "export default {}");
    const error = {
      code: "TYPESCRIPT_FILE",
      message: expect.stringMatching(/npm install typescript.*write it as JSON/),
    };
    await expect(importTypeScript(path, { kind: "none" })).rejects.toMatchObject(error);
  });
});

describe("paths", () => {
  const withFiles = (files: string) => ({ ...small, data: { kind: "text", files } });

  test("$NAME/ is a folder that the environment names", async () => {
    vi.stubEnv("HITHERTO_DATA", folder);
    const config = await loadConfig(file("variable.json", withFiles("$HITHERTO_DATA/text.txt")));
    expect(config.data).toMatchObject({ files: [join(folder, "text.txt")] });
  });

  test("HITHERTO_DATA is ../shared/data beside the package when unset", async () => {
    vi.stubEnv("HITHERTO_DATA", "");
    const config = await loadConfig(file("unset.json", withFiles("$HITHERTO_DATA/x.txt")), [], false);
    expect(config.data).toMatchObject({ files: [join(packageFolder(), "..", "shared", "data", "x.txt")] });
  });

  test("held-out files have their paths settled too", async () => {
    const data = { kind: "parallel", source: "text.txt", target: "text.txt" };
    const heldOut = { files: { source: "text.txt", target: ["text.txt"] } };
    const config = await loadConfig(file("pairs.json", { ...small, data: { ...data, heldOut } }));
    const path = join(folder, "text.txt");
    expect(config.data).toMatchObject({
      source: [path],
      target: [path],
      heldOut: { files: { source: [path], target: [path] } },
    });
  });

  test.each([
    ["HITHERTO_DATA", "$HITHERTO_DATA/no/such.txt", /set HITHERTO_DATA to the folder that holds no\/such\.txt$/],
    ["HITHERTO_DATA", "no/such.txt", /^no\/such\.txt: .*no\/such\.txt does not exist$/],
    ["OTHER", "$HITHERTO_NOT_SET/a", /set HITHERTO_NOT_SET to a folder$/],
  ])("%s: %s: absent data is told with what to set", async (variable, files, message) => {
    vi.stubEnv(variable, folder);
    const failure = loadConfig(file("absent.json", withFiles(files)));
    await expect(failure).rejects.toMatchObject({ code: "DATA_NOT_FOUND", message: expect.stringMatching(message) });
  });
});
