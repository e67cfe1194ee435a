import { describe, expect, test } from "vitest";
import { InvalidValueError } from "../../core/errors.js";
import { checkNormalization, type MosesLanguage, normalizer } from "./normalize.js";

/** Captions such as Multi30k's. */
const captions: readonly (readonly [MosesLanguage, string, string])[] = [
  ["en", "Two young, White males are outside.", "two young , white males are outside ."],
  [
    "en",
    "A boy wearing headphones sits on a woman's shoulders.",
    "a boy wearing headphones sits on a woman 's shoulders .",
  ],
  ["en", 'A "No Parking" sign (red).', 'a " no parking " sign ( red ) .'],
  ["en", "About 1,500 people, rain or shine...", "about 1,500 people , rain or shine ..."],
  ["de", "Ein Hund läuft über saftig-grünes Gras.", "ein hund läuft über saftig-grünes gras ."],
  ["de", "Auf dem Schild steht: „It's a nice day.“", 'auf dem schild steht : " it \' s a nice day " .'],
  ["fr", "L'homme d'à côté; « bien sûr »!", "l' homme d' à côté ; \" bien sûr \" !"],
  ["fr", "Un homme dit : bonjour… à 9 h", "un homme dit : bonjour ... à 9 h"],
];

describe("normalization", () => {
  test.each(captions)("%s: %s", (language, text, expected) => {
    const normalize = normalizer({ lowercase: true, punctuation: language, moses: language });
    expect(normalize(text)).toBe(expected);
  });

  test("a full stop within a sentence ends it only before a capital, and not after an abbreviation", () => {
    const normalize = normalizer({ moses: "en" });
    expect(normalize("Dr. Who met Mr. Smith. He left at 5 p.m. today.")).toBe(
      "Dr. Who met Mr. Smith . He left at 5 p.m. today .",
    );
  });

  test("does nothing that was not asked for", () => {
    expect(normalizer(undefined)("„A“ – b.")).toBe("„A“ – b.");
    expect(normalizer({ lowercase: true })("„A“ – b.")).toBe("„a“ – b.");
    expect(() => checkNormalization("normalize", { moses: "xx" as never })).toThrow(InvalidValueError);
  });
});
