import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../test/support/tiny-checkpoint.js";
import { defaultModel, embeddedModels, modelPath, packageVersion } from "./embedded-models.node.js";
import { loadModel } from "./load-model.node.js";

describe("embedded models", () => {
  test("the default is one of them", () => {
    expect(embeddedModels()).toContain(defaultModel);
    expect(modelPath()).toBe(modelPath(defaultModel));
  });

  test("a name loads where a path would", async () => {
    await using model = await loadModel(defaultModel, { backend: "reference", contextLength: 64 });
    expect(model.hasTokenizer).toBe(true);
  });

  test("pronounce spells words as they sound", async () => {
    await using model = await loadModel("pronounce");
    const texts = (await model.beamSearchAll(["transformer", "xylophone"])).map(([best]) => best!.text);
    expect(texts).toEqual(["T R AE0 N S F AO1 R M ER0", "Z AY1 L AH0 F OW2 N"]);
  });

  test("all of them together stay small", () => {
    const bytes = embeddedModels()
      .flatMap((name) => readdirSync(modelPath(name)).map((file) => statSync(join(modelPath(name), file)).size))
      .reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeLessThan(12e6);
  });

  test("a path that exists is that path, whatever its name", () => {
    const path = join(temporaryFolder(), defaultModel);
    mkdirSync(path);
    expect(modelPath(path)).toBe(path);
    expect(modelPath("no/such/model")).toBe("no/such/model");
  });

  test("the version is a version", () => expect(packageVersion()).toMatch(/^\d+\.\d+\.\d+/));
});
