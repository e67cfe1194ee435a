/** A profile as text: the machine's limits, and a table for prefill and for decode. */
import type { Limit } from "../backends/backend.js";
import type { KindProfile, ModelProfile, PhaseProfile } from "./profile.js";

/**
 * @param sizes - tokens of the prompt, threads, and the rate of decode steps that were not profiled
 */
export function profileTable(
  { limits, prefill, decode }: ModelProfile,
  sizes: { readonly prefill: number; readonly threads: number; readonly decodeTokensPerSecond: number },
): string {
  const limit = (label: string, { one, all }: Limit, unit: string) =>
    `  ${label.padEnd(22)}${giga(one)}${giga(all)}  ${unit}`;
  const { bytesPerToken, tokensPerSecond } = decode.bound;
  const reached = sizes.decodeTokensPerSecond / tokensPerSecond;
  return [
    "",
    `limits, measured now      1 thread${`${sizes.threads} thread${sizes.threads === 1 ? "" : "s"}`.padStart(11)}`,
    limit("read memory", limits.memoryRead, "GB/s"),
    limit("read a working set", limits.workingSetRead, "GB/s, as large as the weights"),
    limit("float32", limits.floatOperations, "Gop/s"),
    limit("int8", limits.byteOperations, "Gop/s"),
    "",
    ...phase(`prefill of ${sizes.prefill}`, prefill, 1, "ms"),
    "",
    ...phase("decode step", decode, 1000, "µs"),
    "",
    `decode bound         ${(bytesPerToken / 1e6).toFixed(2)} MB a token at ${(limits.workingSetRead.all / 1e9).toFixed(1)} GB/s: ${tokensPerSecond.toFixed(1)} tokens/s, ${percent(reached)} of it reached`,
    "",
  ].join("\n");
}

function phase(label: string, { milliseconds, outsideMilliseconds, kinds }: PhaseProfile, scale: number, unit: string) {
  const total = (scale * milliseconds).toFixed(3);
  const outside = percent(outsideMilliseconds / milliseconds);
  const head = ["calls", unit, "share", "GB/s", "Gop/s"].map((each) => each.padStart(9)).join("");
  return [
    `${label.padEnd(21)}${total} ${unit}, ${outside} of it outside instructions`,
    `  ${"instruction".padEnd(18)}${head}  nearest limit`,
    ...kinds.map((kind) => line(kind, scale)),
  ];
}

function line(kind: KindProfile, scale: number): string {
  const { operation, calls, milliseconds, share, bytesPerSecond, operationsPerSecond, nearest } = kind;
  const cells = [
    String(Math.round(calls)),
    (scale * milliseconds).toFixed(scale === 1 ? 3 : 2),
    percent(share),
    (bytesPerSecond / 1e9).toFixed(1),
    operationsPerSecond === undefined ? "" : (operationsPerSecond / 1e9).toFixed(1),
  ];
  const limit = nearest === undefined ? "" : `  ${percent(nearest.reached).padStart(7)} ${nearest.limit}`;
  return `  ${operation.padEnd(18)}${cells.map((each) => each.padStart(9)).join("")}${limit}`.trimEnd();
}

function giga(value: number): string {
  return (value / 1e9).toFixed(1).padStart(11);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
