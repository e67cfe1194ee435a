/** The bytes that a token adds to a text, found out from the decoder that would decode it. */
import type { Decoder } from "./stages/decoders.js";
import { byteOfToken, fromByteAlphabet, utf8 } from "./text/bytes.js";

/**
 * @returns the bytes of a token by its text, inside a text or at its start; the decoder's own treatment of the end
 *   of a sequence is left out
 */
export function tokenBytesBy(decoder: Decoder): (text: string, atStart: boolean) => Uint8Array {
  // One character of GPT-2's alphabet that stands for another tells which alphabet the vocabulary is written in.
  const byteLevel = decoded(decoder, ["a", "Ġ"]) === "a ";
  const byteFallback = decoded(decoder, ["a", "<0x41>"]).endsWith("A");
  const before = decoded(decoder, ["a"]);
  const after = decoded(decoder, ["a", "a"]).slice(before.length);
  return (text, atStart) => {
    if (byteLevel) return fromByteAlphabet(text) ?? utf8(text);
    const byte = byteFallback ? byteOfToken(text) : -1;
    if (byte >= 0) return Uint8Array.of(byte);
    // A neighbour on each side, whose own part is then taken off: what a token becomes may depend on the next one.
    const whole = decoded(decoder, atStart ? [text, "a"] : ["a", text, "a"]);
    return utf8(whole.slice(atStart ? 0 : before.length, whole.length - after.length));
  };
}

function decoded(decoder: Decoder, tokens: readonly string[]): string {
  let out = "";
  const first = decoder({
    text: (part) => {
      out += part;
    },
    end: () => {},
    finish: () => {},
  });
  for (const token of tokens) {
    first.text(token);
    first.end();
  }
  first.finish();
  return out;
}
