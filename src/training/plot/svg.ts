/** Elements of an SVG file as text. */

export type Attributes = Readonly<Record<string, string | number>>;

/** One element; `children` are elements already, or text that went through `escaped`. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${attributeText(value)}"`);
  const open = `<${name}${written.join("")}`;
  return children.length === 0 ? `${open}/>` : `${open}>${children.join("")}</${name}>`;
}

/** @param value - a number is a coordinate: a tenth of a pixel is enough */
function attributeText(value: string | number): string {
  return typeof value === "number" ? coordinate(value) : escaped(value).replaceAll('"', "&quot;");
}

export function coordinate(value: number): string {
  return String(Math.round(value * 10) / 10 || 0);
}

/** Text that stands for itself: without markup, and without characters that XML forbids. */
export function escaped(text: string): string {
  const plain = text.replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd");
  return plain.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
