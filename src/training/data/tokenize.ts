/** From examples to token records: once, whatever is done with them afterwards. */
import { Breather } from "../../core/breathe.js";
import type { Tokenizer } from "../../tokenizers/index.js";
import type { Example } from "./batch.js";
import type { RecordSink } from "./records.js";
import { textHash } from "./text-hash.js";

/** An example on its way into records. */
export interface SourceExample extends Example {
  /** Set aside, whatever the data set's own division says. */
  readonly heldOut?: boolean;
}

/** How far tokenizing has come. */
export interface TokenizeProgress {
  readonly examples: number;
  readonly tokens: number;
  /** Bytes read of all source files, compressed as they are, and what there is; undefined for data in memory. */
  readonly bytes?: number;
  readonly totalBytes?: number;
}

/** Watching and stopping what takes long. */
export interface Watching {
  /** Stops between two examples: the signal's reason is thrown. */
  readonly signal?: AbortSignal;
  /** Called some times a second, and at the end. */
  readonly onProgress?: (progress: TokenizeProgress) => void;
}

/** Tokenizers of both sides. Texts have their prompt and what follows from one tokenizer. */
export interface Encoders {
  readonly kind: "text" | "pairs";
  readonly source: Tokenizer;
  readonly target: Tokenizer;
}

const plain = { addSpecialTokens: false, parseSpecialTokens: false };

/** Encodes every example into `sink`. What an encoder reads is encoded with its special tokens, as when it is used. */
export async function tokenize(
  examples: Iterable<SourceExample> | AsyncIterable<SourceExample>,
  encoders: Encoders,
  sink: RecordSink,
  watching: Watching = {},
  bytesRead: () => Pick<TokenizeProgress, "bytes" | "totalBytes"> = () => ({}),
): Promise<void> {
  const sourceOptions = { ...plain, addSpecialTokens: encoders.kind === "pairs" };
  const breather = new Breather();
  let [count, tokens, reported] = [0, 0, performance.now()];
  const report = () => watching.onProgress?.({ examples: count, tokens, ...bytesRead() });
  for await (const example of examples) {
    watching.signal?.throwIfAborted();
    const { source, target } = example;
    const [isEmpty, sourceIsEmpty] = [target.trim() === "", source.trim() === ""];
    const record = {
      source: sourceIsEmpty ? [] : encoders.source.encode(source, sourceOptions),
      target: isEmpty ? [] : encoders.target.encode(target, plain),
      bytes: utf8Length(target),
      hash: textHash(encoders.kind === "pairs" ? source : `${source}\n${target}`),
      heldOut: example.heldOut === true,
    };
    await sink.add(record);
    count++;
    tokens += record.source.length + record.target.length;
    if (performance.now() - reported > 100) {
      report();
      reported = performance.now();
    }
    await breather.breathe();
  }
  report();
}

/** UTF-8 bytes of a text; an unpaired surrogate counts as U+FFFD. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    const isPair = unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
    bytes += unit < 0x800 ? 1 : 2;
    if (isPair) i++; // two units, four bytes
  }
  return bytes;
}

/** Cuts the last `share` of the characters off each text, to be held out. */
export async function* splitLast(
  examples: Iterable<SourceExample> | AsyncIterable<SourceExample>,
  share: number,
): AsyncGenerator<SourceExample> {
  for await (const example of examples) {
    const at = unitsOf(example.target, share);
    yield { source: example.source, target: example.target.slice(0, at) };
    yield { source: example.source, target: example.target.slice(at), heldOut: true };
  }
}

/** UTF-16 units of the first ⌊(1 − share) · characters⌋ characters. */
function unitsOf(text: string, share: number): number {
  let characters = 0;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00) characters++;
  let kept = Math.floor(characters * (1 - share));
  let at = 0;
  for (; kept > 0; kept--) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}
