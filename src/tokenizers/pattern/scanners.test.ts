import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pattern } from "./pattern.js";
import { gpt2Pattern, llama3Pattern, type Matcher, matcherFor, qwen2Pattern } from "./scanners.js";

/** Characters on which the alternatives of the patterns compete. */
const pieces = fc.constantFrom(
  ..."aZéß日ſK1½٣Ⅷ'-.!_ \t\n\r\u00a0\u0085\u200b\u3000\u0301😀𝒜",
  ..."'s 'S 'll 'Ve 'ſ 're  \r\n ".split(" "),
);
const text = fc.oneof(
  fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary" }),
);

function matches(matcher: Matcher, input: string): string[] {
  const found: string[] = [];
  matcher.forEachMatch(input, (start, end) => found.push(input.slice(start, end)));
  return found;
}

describe("a hand-written scanner cuts every text where its pattern does", () => {
  for (const [name, pattern] of Object.entries({ gpt2Pattern, llama3Pattern, qwen2Pattern })) {
    test(name, () => {
      const scanner = matcherFor(pattern);
      const compiled = new Pattern(pattern);
      expect(scanner).not.toBeInstanceOf(Pattern);
      fc.assert(
        fc.property(text, (input) => {
          expect(matches(scanner, input)).toEqual(matches(compiled, input));
        }),
        { numRuns: Number(process.env.HITHERTO_FUZZ ?? 3000) },
      );
    });
  }

  test("GPT-2's pattern equals JavaScript's own reading of it", () => {
    // JavaScript's \s differs at U+0085 and U+FEFF only.
    const own = new RegExp(
      gpt2Pattern.replaceAll("\\s", "\\p{White_Space}").replaceAll("\\S", "\\P{White_Space}"),
      "gu",
    );
    fc.assert(
      fc.property(text, (input) => {
        const wellFormed = input.replace(/\p{Surrogate}/gu, "");
        expect(matches(matcherFor(gpt2Pattern), wellFormed)).toEqual(wellFormed.match(own) ?? []);
      }),
      { numRuns: 3000 },
    );
  });
});
