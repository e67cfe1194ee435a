/** Every key of a configuration in words: for `hitherto train --help`, and for the page of documentation. */
import { topLevel } from "./config.js";
import type { Field, Fields, Group } from "./kinds.js";

interface DescribedKey {
  readonly path: string;
  readonly allowed: string;
  readonly doc: string;
  readonly absent: string;
}

/** Keys that stand together: those of a group, or of one of its kinds. */
interface Section {
  /** Path of the group, and the `kind` that these keys belong to. */
  readonly path: string;
  readonly choice?: string;
  readonly doc: string;
  readonly keys: readonly DescribedKey[];
}

// biome-ignore lint/suspicious/noExplicitAny: of any kind
type AnyField = Field<any, any, any>;

function sectionsOf(fields: Fields, above: string): Section[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = above === "" ? name : `${above}.${name}`;
    return (field.kind.groups ?? []).flatMap((group) => sectionOf(group, field, path));
  });
}

function sectionOf(group: Group, field: AnyField, path: string): Section[] {
  const keys = Object.entries(group.fields).map(([name, each]) => ({
    path: `${path}.${name}`,
    allowed: each.kind.allowed,
    doc: each.doc,
    absent: each.absent,
  }));
  const doc = group.choice === undefined ? field.doc : group.doc;
  return [{ path, choice: group.choice, doc, keys }, ...sectionsOf(group.fields, path)];
}

/** The keys as lines of at most `width` characters, group by group. */
export function describeConfig(width = 80): string {
  const lines = sectionsOf(topLevel, "").flatMap(({ path, choice, doc, keys }) => [
    "",
    ...wrapped(`${path}${choice === undefined ? "" : `, kind ${JSON.stringify(choice)}`}: ${doc}`, "", width),
    ...keys.flatMap((key) => [
      ...wrapped(`${nameOf(key)}: ${key.doc}; ${key.allowed} (${absence(key)})`, "  ", width, "      "),
    ]),
  ]);
  return lines.slice(1).join("\n");
}

function nameOf({ path }: DescribedKey): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

function absence({ absent }: DescribedKey): string {
  if (absent === "") return "one of these";
  return absent === "required" ? absent : `default: ${absent}`;
}

function wrapped(text: string, indent: string, width: number, hanging = indent): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    if (line.length + word.length + 1 > width && line.trim() !== "") {
      lines.push(line);
      line = hanging;
    }
    line += (line.trim() === "" ? "" : " ") + word;
  }
  return [...lines, line];
}

/** The same as tables in Markdown, one for each group. */
export function configMarkdown(): string {
  const parts = sectionsOf(topLevel, "").map(({ path, choice, doc, keys }) => {
    const heading = choice === undefined ? `### \`${path}\`` : `### \`${path}\`, \`"kind": ${JSON.stringify(choice)}\``;
    return [
      heading,
      "",
      sentence(doc),
      "",
      ...(keys.length > 0 ? tableOf(keys) : ["It has no further keys.", ""]),
    ].join("\n");
  });
  return parts.join("\n");
}

function tableOf(keys: readonly DescribedKey[]): string[] {
  const rows = keys.map(
    (key) => `| \`${nameOf(key)}\` | ${cell(key.doc)} | ${cell(key.allowed)} | ${cell(key.absent || "one of these")} |`,
  );
  return ["| key | | allowed | default |", "|---|---|---|---|", ...rows, ""];
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
