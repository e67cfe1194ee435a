/** Processors that look at the text so far, each against its definition, word for word. */
import { describe, expect, test } from "vitest";
import { Draws, rounds, scoresAfter } from "../../../test/support/distributions.js";
import { InvalidValueError, OutOfRangeError, UnknownOptionError } from "../../core/errors.js";
import type { Place, Processor } from "../sampling/candidates.js";
import { type DryOptions, dryProcessor } from "./dry.js";
import { frequencyPenaltyProcessor } from "./frequency-penalty.js";
import { lengthDecayProcessor, minLengthProcessor, minNewTokensProcessor } from "./lengths.js";
import { noRepeatNgramProcessor } from "./no-repeat-ngram.js";
import { repetitionPenaltyProcessor } from "./repetition-penalty.js";
import { sequenceBiasProcessor } from "./sequence-bias.js";
import {
  allowedTokensProcessor,
  beginSuppressTokensProcessor,
  forcedTokensProcessor,
  prefixAllowedTokensProcessor,
  suppressTokensProcessor,
} from "./token-lists.js";

const draws = new Draws(3);
const never = Number.NEGATIVE_INFINITY;

/** On 1,000 random distributions and texts, every score is what `expected` says. */
function expectScores(make: () => [Processor, (z: number, id: number, place: Place) => number]): void {
  for (let i = 0; i < rounds; i++) {
    const logits = draws.logits(8 + draws.below(40));
    const place = draws.text(logits.length);
    const [processor, expected] = make();
    const actual = scoresAfter(processor, logits, place);
    for (const [id, z] of logits.entries()) {
      const score = expected(z, id, place);
      if (Number.isFinite(score)) expect(actual[id]).toBeCloseTo(score, 3);
      else expect(actual[id]).toBe(never);
    }
  }
}

describe("processors follow their definitions", () => {
  test("repetitionPenalty: z > 0 → z / θ, else z · θ, for tokens of the last n", () =>
    expectScores(() => {
      const theta = 0.5 + draws.uniform() * 1.5;
      const lastN = draws.uniform() < 0.5 ? undefined : draws.below(12);
      const isSeen = (id: number, { ids }: Place) =>
        ids.some((each, at) => each === id && (lastN === undefined || at >= ids.length - lastN));
      return [
        repetitionPenaltyProcessor(theta, lastN),
        (z, id, place) => (!isSeen(id, place) ? z : z > 0 ? z / theta : z * theta),
      ];
    }));

  test("frequencyPenalty and presencePenalty: z −= count · f + [count > 0] · π, completion only", () =>
    expectScores(() => {
      const [f, pi] = [draws.uniform() * 2 - 1, draws.uniform() * 2 - 1];
      return [
        frequencyPenaltyProcessor(f, pi),
        (z, id, { ids, promptLength }) => {
          const count = ids.filter((each, at) => each === id && at >= promptLength).length;
          return z - count * f - (count > 0 ? pi : 0);
        },
      ];
    }));

  test("noRepeatNgramSize: bans every token that would complete an n-gram already seen", () =>
    expectScores(() => {
      const n = 1 + draws.below(4);
      return [
        noRepeatNgramProcessor(n),
        (z, id, { ids }) => {
          const wouldBe = [...ids, id].slice(-n).join();
          const seen = ids.map((_, at) => ids.slice(at, at + n)).filter((gram) => gram.length === n);
          return ids.length + 1 >= n && seen.some((gram) => gram.join() === wouldBe) ? never : z;
        },
      ];
    }));

  test("DRY: z −= multiplier · base^(L − allowedLength), L the repeated end that the token would extend", () =>
    expectScores(() => {
      const breakers = draws.uniform() < 0.5 ? [] : [draws.below(6)];
      const options = {
        multiplier: 0.1 + draws.uniform(),
        base: 1 + draws.uniform(),
        allowedLength: 1 + draws.below(3),
      };
      return [
        dryProcessor({ ...options, sequenceBreakers: breakers }),
        (z, id, { ids }) => {
          let longest = 0;
          for (let at = 1; at < ids.length; at++) {
            if (ids[at] !== id || breakers.includes(id)) continue;
            for (let length = 1; length <= at; length++) {
              const [before, end] = [ids.slice(at - length, at), ids.slice(-length)];
              if (before.join() !== end.join() || end.some((each) => breakers.includes(each))) break;
              longest = Math.max(longest, length);
            }
          }
          const { multiplier, base, allowedLength } = options;
          return longest < allowedLength ? z : z - multiplier * base ** (longest - allowedLength);
        },
      ];
    }));

  test("sequenceBias: added to the last token where the others stand before it; false bans", () =>
    expectScores(() => {
      const biases = Array.from({ length: 6 }, () => ({
        ids: Array.from({ length: 1 + draws.below(3) }, () => draws.below(6)),
        bias: draws.uniform() < 0.2 ? (false as const) : draws.uniform() * 4 - 2,
      }));
      return [
        sequenceBiasProcessor(biases, 8, "sequenceBias"),
        (z, id, { ids }) =>
          biases.reduce((sum, { ids: sequence, bias }) => {
            const begun = sequence.slice(0, -1);
            const stands = begun.length === 0 || ids.slice(-begun.length).join() === begun.join();
            if (sequence.at(-1) !== id || !stands || ids.length < begun.length) return sum;
            return bias === false ? never : sum + bias;
          }, z),
      ];
    }));

  test("minNewTokens and minLength: ends are −∞ until reached", () => {
    expectScores(() => {
      const count = draws.below(20);
      return [
        minNewTokensProcessor(count, [1, 4]),
        (z, id, { ids, promptLength }) => ([1, 4].includes(id) && ids.length - promptLength < count ? never : z),
      ];
    });
    expectScores(() => {
      const length = draws.below(30);
      return [minLengthProcessor(length, [2]), (z, id, { ids }) => (id === 2 && ids.length < length ? never : z)];
    });
  });

  test("length decay: z += |z| · (factor^(length − start) − 1) for ends, beyond the start", () =>
    expectScores(() => {
      const [start, factor] = [draws.below(8), 1 + draws.uniform() / 4];
      return [
        lengthDecayProcessor({ start, factor }, [3]),
        (z, id, { ids, promptLength }) => {
          const length = ids.length - promptLength;
          return id !== 3 || length <= start || z === never ? z : z + Math.abs(z) * (factor ** (length - start) - 1);
        },
      ];
    }));

  test("lists of tokens that may come, that may not, and that must", () => {
    const list = () => Array.from({ length: 1 + draws.below(5) }, () => draws.below(8));
    expectScores(() => {
      const ids = list();
      return [allowedTokensProcessor(ids, 8), (z, id) => (ids.includes(id) ? z : never)];
    });
    expectScores(() => {
      const ids = list();
      return [suppressTokensProcessor(ids, 8, "suppressTokens"), (z, id) => (ids.includes(id) ? never : z)];
    });
    expectScores(() => {
      const ids = list();
      const isFirst = (place: Place) => place.ids.length === place.promptLength;
      return [beginSuppressTokensProcessor(ids, 8), (z, id, place) => (ids.includes(id) && isFirst(place) ? never : z)];
    });
    expectScores(() => {
      const forced = { 0: draws.below(8), 3: draws.below(8) } as Record<number, number>;
      return [
        forcedTokensProcessor(forced, 8),
        (z, id, { ids, promptLength }) => {
          const must = forced[ids.length - promptLength];
          return must === undefined ? z : id === must ? 0 : never;
        },
      ];
    });
    expectScores(() => [
      prefixAllowedTokensProcessor((ids) => [ids.length % 8, 5]),
      (z, id, { ids }) => (id === 5 || id === ids.length % 8 ? z : never),
    ]);
  });

  test("what cannot be is refused by name", () => {
    for (const [make, error] of [
      [() => repetitionPenaltyProcessor(0), OutOfRangeError],
      [() => frequencyPenaltyProcessor(Number.NaN, 0), OutOfRangeError],
      [() => noRepeatNgramProcessor(0), OutOfRangeError],
      [() => dryProcessor({ multiplier: -1 }), OutOfRangeError],
      [() => dryProcessor({ multiplier: 1, base: 0.5 }), OutOfRangeError],
      [() => dryProcessor({ multiplier: 1, length: 3 } as DryOptions), UnknownOptionError],
      [() => sequenceBiasProcessor([{ ids: [], bias: 1 }], 8, "x"), InvalidValueError],
      [() => sequenceBiasProcessor([{ ids: [8], bias: 1 }], 8, "x"), InvalidValueError],
      [() => sequenceBiasProcessor([{ ids: [1], bias: Number.NaN }], 8, "x"), InvalidValueError],
      [() => allowedTokensProcessor([], 8), InvalidValueError],
      [() => suppressTokensProcessor([-1], 8, "x"), InvalidValueError],
      [() => forcedTokensProcessor({ 0: 9 }, 8), InvalidValueError],
      [() => minNewTokensProcessor(-1, []), OutOfRangeError],
      [() => lengthDecayProcessor({ start: 1, factor: 0 }, []), OutOfRangeError],
    ] as const) {
      expect(make).toThrow(error);
    }
  });
});
