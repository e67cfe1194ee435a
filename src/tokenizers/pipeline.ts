/**
 * A tokenizer assembled from its stages: added tokens, normalizer, pre-tokenizer, model, post-processor, decoder.
 *
 * Every file format builds one of these; formats differ only in the stages that they choose.
 */
import { InvalidValueError, OutOfRangeError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import { IdList, type SubwordModel, type Vocabulary } from "./models/model.js";
import { type AddedToken, AddedTokenMatcher } from "./stages/added-tokens.js";
import { cleanUpSpaces, type Decoder, type DecodeStage, decoderSequence } from "./stages/decoders.js";
import type { Normalizer } from "./stages/normalizers.js";
import type { PreTokenizer } from "./stages/pre-tokenizers.js";
import { wellFormed } from "./text/code-points.js";
import { tokenBytesBy } from "./token-bytes.js";
import type {
  DecodeOptions,
  EncodeOptions,
  StreamOptions,
  TextStream,
  TokenBytesOptions,
  Tokenizer,
} from "./tokenizer.js";

/** The stages and the vocabulary of a tokenizer. */
export interface PipelineParts {
  /** Every entry, added tokens included. */
  readonly vocabulary: Vocabulary;
  readonly addedTokens: readonly AddedToken[];
  readonly normalizer?: Normalizer;
  readonly preTokenizer?: PreTokenizer;
  readonly model: SubwordModel;
  /** Ids around a sequence. Default none. */
  readonly template?: { readonly before: readonly number[]; readonly after: readonly number[] };
  readonly decoder: Decoder;
  /** Text that the decoder gets for an id, where it is not the entry as stored. */
  readonly decodeTexts?: ReadonlyMap<number, string>;
  readonly roles: TokenRoles;
}

/** Ids with a meaning of their own. */
export interface TokenRoles {
  readonly beginId?: number;
  readonly endIds?: readonly number[];
  readonly padId?: number;
  readonly unknownId?: number;
}

/** The one implementation of `Tokenizer`. */
export class PipelineTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly beginId?: number;
  readonly endIds: readonly number[];
  readonly padId?: number;
  readonly unknownId?: number;

  private readonly texts: ReadonlyMap<number, string>;
  private readonly special: ReadonlySet<number>;
  private readonly rawTokens: AddedTokenMatcher;
  private readonly normalizedTokens: AddedTokenMatcher;
  private bytesOf: ((text: string, atStart: boolean) => Uint8Array) | undefined;

  constructor(private readonly parts: PipelineParts) {
    const { vocabulary, addedTokens, normalizer, roles } = parts;
    const texts = new Map<number, string>();
    let largest = -1;
    const enter = (text: string, id: number) => {
      texts.set(id, text);
      largest = Math.max(largest, id);
    };
    for (const [text, id] of vocabulary) enter(text, id);
    for (const token of addedTokens) enter(token.content, token.id);
    this.texts = texts;
    this.vocabSize = largest + 1;
    this.special = new Set(addedTokens.filter((token) => token.special).map((token) => token.id));
    this.rawTokens = new AddedTokenMatcher(addedTokens.filter((token) => token.normalized !== true));
    this.normalizedTokens = new AddedTokenMatcher(
      addedTokens.filter((token) => token.normalized === true),
      (token) => (normalizer === undefined ? token.content : normalizer(token.content)),
    );
    this.beginId = roles.beginId;
    this.endIds = roles.endIds ?? [];
    this.padId = roles.padId;
    this.unknownId = roles.unknownId;
  }

  /** The same tokenizer with other roles: a checkpoint's configuration may know more than its vocabulary. */
  withRoles(roles: TokenRoles): PipelineTokenizer {
    return new PipelineTokenizer({ ...this.parts, roles: { ...this.parts.roles, ...roles } });
  }

  /** The same tokenizer whose decoded text loses the space before `.`, `n't` and so on: a convention of some. */
  cleaningUpSpaces(): PipelineTokenizer {
    return new PipelineTokenizer({ ...this.parts, decoder: decoderSequence([this.parts.decoder, cleanUpSpaces]) });
  }

  encode(text: string, options: EncodeOptions = {}): Int32Array {
    rejectUnknownOptions(options, ["addSpecialTokens", "parseSpecialTokens"]);
    if (typeof text !== "string") throw new InvalidValueError("text", "a string", text);
    const ids = new IdList();
    const template = options.addSpecialTokens === false ? undefined : this.parts.template;
    if (template !== undefined) ids.append(template.before);
    this.encodeText(wellFormed(text), options.parseSpecialTokens !== false, ids);
    if (template !== undefined) ids.append(template.after);
    return ids.toArray();
  }

  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    const stream = this.stream({ ...options });
    const texts: string[] = [];
    for (let i = 0; i < ids.length; i++) texts.push(stream.push(ids[i]));
    texts.push(stream.flush());
    return texts.join("");
  }

  tokenId(token: string): number | undefined {
    return this.parts.vocabulary.get(token) ?? this.parts.addedTokens.find((added) => added.content === token)?.id;
  }

  tokenText(id: number): string {
    const text = this.texts.get(id);
    if (text === undefined) throw new OutOfRangeError("token id", `in the vocabulary of ${this.vocabSize}`, id);
    return text;
  }

  tokenBytes(id: number, options: TokenBytesOptions = {}): Uint8Array | undefined {
    rejectUnknownOptions(options, ["atStart"]);
    const text = this.textForDecoding(id, true);
    if (text === undefined) return undefined;
    this.bytesOf ??= tokenBytesBy(this.parts.decoder);
    return this.bytesOf(text, options.atStart === true);
  }

  isSpecial(id: number): boolean {
    return this.special.has(id);
  }

  stream(options: StreamOptions = {}): TextStream {
    rejectUnknownOptions(options, ["skipSpecialTokens", "after"]);
    const skip = options.skipSpecialTokens !== false;
    const stream = new PipelineStream(this.parts.decoder, (id) => this.textForDecoding(id, skip));
    const after = options.after ?? [];
    for (let i = 0; i < after.length; i++) stream.push(after[i]);
    return stream;
  }

  private encodeText(text: string, parseSpecialTokens: boolean, out: IdList): void {
    const { normalizer } = this.parts;
    this.rawTokens.split(text, parseSpecialTokens, (id, start, end) => {
      if (id >= 0) {
        out.push(id);
        return;
      }
      const raw = start === 0 && end === text.length ? text : text.slice(start, end);
      const normalized = normalizer === undefined ? raw : normalizer(raw);
      this.normalizedTokens.split(normalized, parseSpecialTokens, (innerId, from, to) => {
        if (innerId >= 0) out.push(innerId);
        else this.encodePlain(normalized.slice(from, to), start === 0 && from === 0, out);
      });
    });
  }

  private encodePlain(text: string, atStart: boolean, out: IdList): void {
    const { preTokenizer, model } = this.parts;
    if (preTokenizer === undefined) model.encode(text, out);
    else preTokenizer(text, atStart, (piece) => model.encode(piece, out));
  }

  private textForDecoding(id: number, skipSpecialTokens: boolean): string | undefined {
    if (!Number.isInteger(id) || id < 0) throw new OutOfRangeError("token id", "a non-negative integer", id);
    if (skipSpecialTokens && this.special.has(id)) return undefined;
    return this.parts.decodeTexts?.get(id) ?? this.texts.get(id);
  }
}

/** Runs a decoder over one sequence. */
class PipelineStream implements TextStream {
  private ready = "";
  private spent = false;
  private readonly first: DecodeStage;

  constructor(
    decoder: Decoder,
    private readonly textOf: (id: number) => string | undefined,
  ) {
    this.first = decoder({
      text: (part) => {
        this.ready += part;
      },
      end: () => {},
      finish: () => {},
    });
  }

  push(id: number): string {
    if (this.spent) throw new InvalidValueError("stream", "used before flush()", "a flushed stream");
    const text = this.textOf(id);
    if (text === undefined) return "";
    this.first.text(text);
    this.first.end();
    return this.take();
  }

  flush(): string {
    if (!this.spent) this.first.finish();
    this.spent = true;
    return this.take();
  }

  private take(): string {
    const text = this.ready;
    this.ready = "";
    return text;
  }
}
