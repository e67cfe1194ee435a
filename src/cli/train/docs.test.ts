/** The page about configurations says what the declarations say. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packageFolder } from "../../embedded-models.node.js";
import { configMarkdown } from "../../training/config/describe.js";

const page = join(packageFolder(), "docs", "training-config.md");
const heading = "## Every key\n";

describe("docs/training-config.md", () => {
  test("has every key as it is declared; UPDATE_DOCS=1 writes it anew", () => {
    const text = readFileSync(page, "utf8");
    const current = `${text.slice(0, text.indexOf(heading) + heading.length)}\n${configMarkdown().trimEnd()}\n`;
    if (process.env.UPDATE_DOCS === "1") writeFileSync(page, current);
    expect(readFileSync(page, "utf8")).toBe(current);
  });
});
