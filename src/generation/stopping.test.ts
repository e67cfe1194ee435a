import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidValueError, UnknownOptionError } from "../core/errors.js";
import { checkStopping, StopStrings } from "./stopping.js";

function feed(strings: string[], pieces: string[]): { shown: string[]; stopped?: string } {
  const stops = new StopStrings(strings);
  const shown: string[] = [];
  for (const piece of pieces) {
    shown.push(stops.push(piece));
    if (stops.stopped !== undefined) return { shown, stopped: stops.stopped };
  }
  shown.push(stops.flush());
  return { shown };
}

describe("stop strings", () => {
  test("lie across tokens, and none of them is shown", () => {
    expect(feed(["\nUser:"], ["Hello", "\nUs", "er", ": more"])).toEqual({
      shown: ["Hello", "", "", ""],
      stopped: "\nUser:",
    });
  });

  test("hold back only what may be their beginning", () => {
    expect(feed(["abc"], ["xa", "b", "d"])).toEqual({ shown: ["x", "", "abd", ""] });
  });

  test("give back what was held when nothing more comes", () => {
    expect(feed(["END"], ["the EN"])).toEqual({ shown: ["the ", "EN"] });
  });

  test("the one that begins first wins", () => {
    expect(feed(["cd", "bcde"], ["abcd", "e"]).stopped).toBe("cd");
    expect(feed(["cde", "bcd"], ["abcde"]).stopped).toBe("bcd");
  });

  test("however the text is cut into pieces, the same is shown", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 30 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 }), {
      maxLength: 1,
    });
    fc.assert(
      fc.property(text, stops, fc.array(fc.nat(4)), (whole, strings, cuts) => {
        const pieces: string[] = [];
        let rest = whole;
        for (const cut of cuts) {
          pieces.push(rest.slice(0, cut));
          rest = rest.slice(cut);
        }
        const { shown, stopped } = feed(strings, [...pieces, rest]);
        const at = strings.length === 0 ? -1 : whole.indexOf(strings[0]!);
        expect(stopped).toBe(at < 0 ? undefined : strings[0]);
        expect(shown.join("")).toBe(at < 0 ? whole : whole.slice(0, at));
      }),
      { numRuns: 500 },
    );
  });
});

describe("options", () => {
  test("are checked by name", () => {
    expect(() => checkStopping({ strings: [""] })).toThrow(InvalidValueError);
    expect(() => checkStopping({ tokenIds: [-1] })).toThrow(InvalidValueError);
    expect(() => checkStopping({ stop: "x" } as never)).toThrow(UnknownOptionError);
  });
});
