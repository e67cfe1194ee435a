/**
 * From token texts to text, incrementally.
 *
 * A decoder is a chain of stages. Each takes one token after the other, possibly in parts, and passes on what is
 * certain; `decode` and `stream` run the same stages, so that they cannot differ. Each stage does to the tokens of a
 * whole sequence what the Hugging Face decoder of its name does.
 */
import type { Matcher } from "../pattern/scanners.js";
import { byteOfToken, fromByteAlphabet, Utf8Stream, utf8 } from "../text/bytes.js";
import { StringReplacer } from "../text/string-replacer.js";

/** Takes the tokens of one sequence. */
export interface DecodeStage {
  /** A part of the current token. */
  text(part: string): void;
  /** The current token is complete. */
  end(): void;
  /** The sequence is complete. */
  finish(): void;
}

/** Makes the stage that feeds `next`. One chain decodes one sequence. */
export type Decoder = (next: DecodeStage) => DecodeStage;

/** Runs `decoders` one after the other. */
export function decoderSequence(decoders: readonly Decoder[]): Decoder {
  return (next) => decoders.reduceRight((following, decoder) => decoder(following), next);
}

/** A stage that needs each token whole. */
abstract class WholeTokens implements DecodeStage {
  private parts = "";

  constructor(protected readonly next: DecodeStage) {}

  text(part: string): void {
    this.parts += part;
  }

  end(): void {
    const token = this.parts;
    this.parts = "";
    this.token(token);
  }

  finish(): void {
    this.next.finish();
  }

  protected abstract token(token: string): void;

  protected pass(token: string): void {
    this.next.text(token);
    this.next.end();
  }
}

/** Applies `rewrite` to every token; `index` counts from the sequence's first. */
export function mapTokens(rewrite: (token: string, index: number) => string): Decoder {
  return (next) =>
    new (class extends WholeTokens {
      private index = 0;

      protected token(token: string): void {
        this.pass(rewrite(token, this.index++));
      }
    })(next);
}

/** All tokens as one. */
export const fuse: Decoder = (next) => ({
  text: (part) => next.text(part),
  end: () => {},
  finish: () => {
    next.end();
    next.finish();
  },
});

/** Tokens in GPT-2's byte alphabet, to UTF-8, to one text. A token with other characters stands for itself. */
export const byteLevelDecoder: Decoder = (next) =>
  new (class extends WholeTokens {
    private readonly utf8Stream = new Utf8Stream();

    protected token(token: string): void {
      this.next.text(this.utf8Stream.push(fromByteAlphabet(token) ?? utf8(token)));
    }

    override finish(): void {
      this.pass(this.utf8Stream.flush());
      this.next.finish();
    }
  })(next);

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Runs of `<0x..>` tokens to text. A run that as a whole is not UTF-8 becomes one U+FFFD per byte, so a run is held
 * back until it ends.
 */
export const byteFallbackDecoder: Decoder = (next) =>
  new (class extends WholeTokens {
    private run: number[] = [];

    protected token(token: string): void {
      const byte = byteOfToken(token);
      if (byte >= 0) {
        this.run.push(byte);
        return;
      }
      this.flushRun();
      this.pass(token);
    }

    override finish(): void {
      this.flushRun();
      this.next.finish();
    }

    private flushRun(): void {
      if (this.run.length === 0) return;
      const bytes = Uint8Array.from(this.run);
      this.run = [];
      try {
        this.pass(strictUtf8.decode(bytes));
      } catch {
        for (let i = 0; i < bytes.length; i++) this.pass("\ufffd");
      }
    }
  })(next);

/** Replaces a fixed string inside every token. */
export function replaceString(pattern: string, content: string): Decoder {
  return (next) => {
    const replacer = new StringReplacer(pattern, content);
    return {
      text: (part) => next.text(replacer.push(part)),
      end: () => {
        next.text(replacer.flush());
        next.end();
      },
      finish: () => next.finish(),
    };
  };
}

/** Replaces every match inside every token. Tokens are held until they are whole. */
export function replaceMatches(matcher: Matcher, content: string): Decoder {
  return mapTokens((token) => replaceAllMatches(token, matcher, content));
}

/** `text` with `content` in the place of every match. */
export function replaceAllMatches(text: string, matcher: Matcher, content: string): string {
  let out = "";
  let copied = 0;
  matcher.forEachMatch(text, (start, end) => {
    out += text.slice(copied, start) + content;
    copied = end;
  });
  return out + text.slice(copied);
}

/** Drops up to `start` leading and `stop` trailing characters of every token that equal `content`. */
export function stripDecoder(content: string, start: number, stop: number): Decoder {
  return (next) => {
    let leading = start;
    let held = 0;
    const take = (character: string): string => {
      if (character !== content) {
        leading = 0;
        const out = content.repeat(held) + character;
        held = 0;
        return out;
      }
      if (leading > 0) {
        leading--;
        return "";
      }
      if (held < stop) {
        held++;
        return "";
      }
      return content;
    };
    return {
      text: (part) => {
        let out = "";
        for (const character of part) out += take(character);
        next.text(out);
      },
      end: () => {
        leading = start;
        held = 0;
        next.end();
      },
      finish: () => next.finish(),
    };
  };
}

/** `▁` to a space; the first token loses its own when the encoder had put one there. */
export function metaspaceDecoder(replacement: string, dropFirst: boolean): Decoder {
  return mapTokens((token, index) => token.replaceAll(replacement, index === 0 && dropFirst ? "" : " "));
}

/** Takes `prefix` off the first token. */
export function stripFirst(prefix: string): Decoder {
  return mapTokens((token, index) => (index === 0 && token.startsWith(prefix) ? token.slice(prefix.length) : token));
}

/** Joins words by spaces, and the parts of a word without; `cleanUp` takes the space before `.`, `n't` and so on. */
export function wordPieceDecoder(prefix: string, cleanUp: boolean): Decoder {
  return mapTokens((token, index) => {
    let text = token;
    if (index > 0) text = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
    return cleanUp ? wordPieceCleanUp.reduce((out, [from, to]) => out.replaceAll(from, to), text) : text;
  });
}

const wordPieceCleanUp: readonly (readonly [string, string])[] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

/** Tokens joined by spaces: what Hugging Face does without a decoder. */
export const spacedDecoder: Decoder = mapTokens((token, index) => (index === 0 ? token : ` ${token}`));

/** The end-of-word suffix to a space, but for the last token's. */
export function bpeSuffixDecoder(suffix: string): Decoder {
  return (next) =>
    new (class extends WholeTokens {
      private held: string | undefined;

      protected token(token: string): void {
        this.release(" ");
        this.held = token;
      }

      override finish(): void {
        this.release("");
        this.next.finish();
      }

      private release(replacement: string): void {
        if (this.held !== undefined) this.pass(suffix === "" ? this.held : this.held.replaceAll(suffix, replacement));
        this.held = undefined;
      }
    })(next);
}

/** Hugging Face's `clean_up_tokenization_spaces`, on the whole text. */
export const cleanUpSpaces: Decoder = decoderSequence([
  fuse,
  ...wordPieceCleanUp.filter(([from]) => from !== " do not").map(([from, to]) => replaceString(from, to)),
]);
