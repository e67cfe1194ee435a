/** Every key of a configuration in words: for `hitherto train --help`, and for the page of documentation. */
import { topLevel } from "./config.js";
import type { Fields, Group } from "./kinds.js";

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
  /** Kinds of the group above in which they stand; empty where that has none. */
  readonly within: string[];
  readonly doc: string;
  readonly keys: readonly DescribedKey[];
}

type AnyField = Fields[string];

/** All sections, each once: a group that several kinds share says in which of them it stands. */
function allSections(): Section[] {
  const sections = new Map<Group, Section>();
  collect(topLevel, "", undefined, sections);
  return [...sections.values()];
}

function collect(fields: Fields, above: string, within: string | undefined, sections: Map<Group, Section>): void {
  for (const [name, field] of Object.entries(fields)) {
    const path = above === "" ? name : `${above}.${name}`;
    for (const group of field.kind.groups ?? []) {
      const known = sections.get(group);
      if (known === undefined) {
        sections.set(group, sectionOf(group, field, path, within));
        collect(group.fields, path, group.choice, sections);
      } else if (known.path === path && within !== undefined) known.within.push(within);
    }
  }
}

function sectionOf(group: Group, field: AnyField, path: string, within: string | undefined): Section {
  const keys = Object.entries(group.fields).map(([name, each]) => ({
    path: `${path}.${name}`,
    allowed: each.kind.allowed,
    doc: each.doc,
    absent: each.absent,
  }));
  const doc = group.choice === undefined ? field.doc : group.doc;
  return { path, choice: group.choice, within: within === undefined ? [] : [within], doc, keys };
}

/** Where a section stands, beside its path. */
function circumstances({ choice, within }: Section): string {
  const parts = [choice && `kind ${JSON.stringify(choice)}`, within.length > 0 && `of ${within.join(", ")}`];
  const said = parts.filter((part) => typeof part === "string");
  return said.length === 0 ? "" : ` (${said.join(" ")})`;
}

/** The keys as lines of at most `width` characters, group by group. */
export function describeConfig(width = 80): string {
  const lines = allSections().flatMap((section) => [
    "",
    ...wrapped(`${section.path}${circumstances(section)}: ${section.doc}`, "", width),
    ...section.keys.flatMap((key) => [
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
  const parts = allSections().map((section) => {
    const { path, doc, keys } = section;
    const table = keys.length > 0 ? tableOf(keys) : ["It has no further keys.", ""];
    return [`### \`${path}\`${circumstances(section)}`, "", sentence(doc), "", ...table].join("\n");
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
