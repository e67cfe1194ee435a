/** The house's documents: links lead somewhere, and a token's path stays short. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const repository = join(dirname(fileURLToPath(import.meta.url)), "..");
const decisions = readdirSync(join(repository, "docs", "adr")).map((name) => `docs/adr/${name}`);
const documents = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "examples/README.md",
  ...decisions,
];

function linksIn(text: string): string[] {
  return [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, to]) => to!).filter((to) => !/^https?:/.test(to));
}

describe("documents", () => {
  test.each(documents)("links in %s lead somewhere", (document) => {
    const text = readFileSync(join(repository, document), "utf8");
    const broken = linksIn(text).filter((to) => !existsSync(join(repository, dirname(document), to)));
    expect(broken).toEqual([]);
  });

  test("files that documents name exist", () => {
    const named = documents.flatMap((document) => {
      const text = readFileSync(join(repository, document), "utf8");
      return [...text.matchAll(/`((?:src|kernels|test|tools|docs|examples)\/[\w./-]+)`/g)].map(([, path]) => path!);
    });
    expect(named.length).toBeGreaterThan(20);
    expect([...new Set(named)].filter((path) => !existsSync(join(repository, path)))).toEqual([]);
  });

  test("a token goes through twelve files or fewer", () => {
    const text = readFileSync(join(repository, "ARCHITECTURE.md"), "utf8");
    const path = text.slice(text.indexOf("## What a token goes through"), text.indexOf("## Where things are"));
    const steps = path.match(/^\d+\. \[/gm)!;
    expect(steps.length).toBeGreaterThan(5);
    expect(steps.length).toBeLessThanOrEqual(12);
  });

  test("a decision takes about half a page", () => {
    const lines = decisions.map((path) => readFileSync(join(repository, path), "utf8").split("\n").length);
    expect(Math.max(...lines)).toBeLessThanOrEqual(40);
  });
});
