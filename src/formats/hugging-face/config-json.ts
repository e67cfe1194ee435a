/**
 * Configurations as JSON text that Python reads with the types that it expects.
 *
 * JavaScript has one kind of number and writes 50.0 as 50; transformers 5 checks its configurations and refuses a whole
 * number where a float is declared. The keys that it declares as floats end in one of a few words.
 */
import type { JsonObject } from "./read.js";

const floatKeys =
  /(epsilon|_eps|dropout|pdrop|layerdrop|softcapping|_range|init_std|_theta|_base_freq|factor|_pct|mscale|mscale_all_dim|beta_fast|beta_slow|temperature|top_p|typical_p|min_p|penalty)$/;

/** @returns text with two spaces of indentation and a final line break, as transformers writes it */
export function configJson(values: JsonObject): string {
  return `${valueText(values, "", "")}\n`;
}

/** @param key - of the value, or of the list that it stands in */
function valueText(value: unknown, key: string, indent: string): string {
  const inner = `${indent}  `;
  if (typeof value === "number") return numberText(value, floatKeys.test(key));
  if (Array.isArray(value)) {
    return listText(
      "[",
      "]",
      value.map((item) => valueText(item ?? null, key, inner)),
      indent,
    );
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    const texts = members.map(([name, member]) => `${JSON.stringify(name)}: ${valueText(member, name, inner)}`);
    return listText("{", "}", texts, indent);
  }
  return JSON.stringify(value);
}

function listText(open: string, close: string, items: readonly string[], indent: string): string {
  if (items.length === 0) return open + close;
  return `${open}\n${items.map((item) => `${indent}  ${item}`).join(",\n")}\n${indent}${close}`;
}

function numberText(value: number, float: boolean): string {
  const text = JSON.stringify(value);
  return float && /^-?\d+$/.test(text) ? `${text}.0` : text;
}
