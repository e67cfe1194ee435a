/** Numbers as people read them. */

/** Seconds as "12 s", "3 min 05 s" or "2 h 07 min"; "?" where nobody knows. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** Without decimals, in groups of three digits. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Three digits that count. */
export function compact(value: number): string {
  const text = value !== 0 && Math.abs(value) < 0.01 ? value.toExponential(2) : value.toPrecision(3);
  return text.includes("e") ? text.replace(/\.?0+e/, "e") : String(Number(text));
}

/** Bytes in the unit that suits them. */
export function bytes(value: number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  const power = value < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(value) / 3));
  return `${(value / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** Counts in the unit that suits them: 812, 10.7k, 10.8M. */
export function count(value: number): string {
  const units = ["", "k", "M", "G", "T"];
  const power = value < 10_000 ? 0 : Math.min(4, Math.floor(Math.log10(value) / 3));
  return `${power === 0 ? value : (value / 1000 ** power).toPrecision(3)}${units[power]}`;
}
