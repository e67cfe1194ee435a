/** The recipes that come with the package are valid, documented, and say what to set where their data is absent. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { packageFolder } from "../../embedded-models.node.js";
import { loadConfig } from "./load-config.js";

const folder = join(packageFolder(), "recipes");
const recipes = readdirSync(folder).filter((name) => name.endsWith(".json"));

afterEach(() => vi.unstubAllEnvs());

describe("recipes", () => {
  test("there are some", () => expect(recipes.length).toBeGreaterThan(7));

  test.each(recipes)("%s is a valid configuration", async (name) => {
    const config = await loadConfig(join(folder, name), [], false);
    expect(config.run.name).toBe(name.replace(".json", ""));
  });

  test.each(recipes)("%s has a page that says how to run it", (name) => {
    const page = join(folder, name.replace(".json", ".md"));
    expect(existsSync(page)).toBe(true);
    expect(readFileSync(page, "utf8")).toContain(`hitherto train recipes/${name}`);
  });

  test.each(recipes.filter((name) => name !== "sort.json"))("%s without its data says what to set", async (name) => {
    vi.stubEnv("HITHERTO_DATA", join(folder, "no-such-folder"));
    const failure = loadConfig(join(folder, name));
    await expect(failure).rejects.toMatchObject({
      message: expect.stringMatching(/; set HITHERTO_DATA to the folder that holds /),
    });
  });
});
