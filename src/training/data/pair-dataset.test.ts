import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidValueError } from "../../core/errors.js";
import { characterTokenizer } from "../../tokenizers/index.js";
import type { Batch, PositionedBatch } from "./batch.js";
import { idDataset, pairDataset } from "./memory-datasets.js";

const ends = { vocabSize: 100, startId: 1, endId: 2 };

/** Pairs of a batch as "source / shown → predicted", read through what each row may attend to. */
function pairsOf({ ids, targets, positions, cross, source }: Batch): string[] {
  const starts = [...positions.keys()].filter((row) => positions[row] === 0);
  return starts.map((start, index) => {
    const end = starts[index + 1] ?? ids.length;
    const [first, last] = [cross!.first[start], cross!.end[start]];
    for (let row = start; row < end; row++) expect([cross!.first[row], cross!.end[row]]).toEqual([first, last]);
    for (let row = first; row < last; row++) {
      expect([source!.first[row], source!.end[row], source!.positions[row]]).toEqual([first, last, row - first]);
    }
    const read = source!.ids.slice(first, last).join(" ");
    return `${read} / ${ids.slice(start, end).join(" ")} → ${targets.slice(start, end).join(" ")}`;
  });
}

describe("pairs", () => {
  test("the encoder reads the source, the decoder learns the target up to the end id", async () => {
    const data = idDataset("pairs", [{ source: [10, 11], target: [20, 21, 22] }], { ...ends, sourceEndId: 2 });
    const { value } = await data.batches({ tokens: 8, contextLength: 8 }, { seed: 1 }).next();
    expect(pairsOf((value as PositionedBatch).batch)).toEqual(["10 11 2 / 1 20 21 22 → 20 21 22 2"]);
    expect(data.trainTokens).toBe(4);
  });

  test("every pair comes once in a pass, whole, within the budget of both sides", async () => {
    const pair = fc.record({
      source: fc.array(fc.integer({ min: 3, max: 99 }), { minLength: 1, maxLength: 9 }),
      target: fc.array(fc.integer({ min: 3, max: 99 }), { minLength: 1, maxLength: 9 }),
    });
    const pairs = fc.array(pair, { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(pairs, fc.constantFrom(1, 7, 1024), async (given, bucket) => {
        const data = idDataset("pairs", given, { ...ends, bucket });
        const seen: string[] = [];
        const shape = { tokens: 24, sourceTokens: 16, contextLength: 10 };
        for await (const { batch, epoch } of data.batches(shape, { seed: 5 })) {
          if (epoch === 1) break;
          expect(batch.ids.length).toBeLessThanOrEqual(24);
          expect(batch.source!.ids.length).toBeLessThanOrEqual(16);
          seen.push(...pairsOf(batch));
        }
        const expected = given.map(
          ({ source, target }) => `${source.join(" ")} / ${[1, ...target].join(" ")} → ${[...target, 2].join(" ")}`,
        );
        expect(seen.sort()).toEqual(expected.sort());
      }),
      { numRuns: 40 },
    );
  });

  test("those of similar length share a batch, and batches of all lengths are mixed", async () => {
    const given = Array.from({ length: 400 }, (_, i) => ({ source: [3], target: Array(1 + (i % 20)).fill(4) }));
    const spread = async (bucket: number) => {
      const data = idDataset("pairs", given, { ...ends, bucket });
      let [spreads, previous, jumps, batches] = [0, 0, 0, 0];
      for await (const { batch, epoch } of data.batches({ tokens: 84, contextLength: 32 }, { seed: 1 })) {
        if (epoch === 1) break;
        const lengths = pairsOf(batch).map((text) => text.split(" ").length);
        spreads += Math.max(...lengths) - Math.min(...lengths);
        jumps += Math.abs(lengths[0] - previous);
        previous = lengths[0];
        batches++;
      }
      return { within: spreads / batches, between: jumps / batches };
    };
    const [sorted, mixed] = [await spread(1024), await spread(1)];
    expect(sorted.within).toBeLessThan(mixed.within / 3);
    expect(sorted.between).toBeGreaterThan(sorted.within);
  });

  test("a run resumed at any batch goes on exactly", async () => {
    const given = Array.from({ length: 50 }, (_, i) => ({
      source: [3 + (i % 50)],
      target: Array(1 + (i % 9)).fill(4),
    }));
    const data = idDataset("pairs", given, ends);
    const shape = { tokens: 32, contextLength: 16 };
    const whole: PositionedBatch[] = [];
    for await (const each of data.batches(shape, { seed: 9 })) if (whole.push(each) === 30) break;
    for (const done of [1, 5, 11, 12, 13, 20]) {
      const { value } = await data.batches(shape, { seed: 9, from: whole[done - 1].next }).next();
      expect(value).toEqual(whole[done]);
    }
  });

  test("pairs that fit in no batch are an error that says what to do", () => {
    const data = idDataset("pairs", [{ source: [3], target: Array(20).fill(4) }], ends);
    expect(() => data.batches({ tokens: 16, contextLength: 16 }, { seed: 1 })).toThrow(/set maxLength/);
    expect(() => data.batches({ tokens: 64, contextLength: 16 }, { seed: 1 })).toThrow(InvalidValueError);
  });
});

test("pairs longer than a given context are left out, and counted", async () => {
  const given = [3, 4, 5].map((length) => ({ source: [3, 4, 5, 6], target: Array(length).fill(4) }));
  const data = idDataset("pairs", given, { ...ends, contextLength: 5 });
  expect(data.summary.dropped.tooLong).toBe(1);
  expect(data.batchesPerEpoch({ tokens: 5, contextLength: 5 }, 1)).toBe(2);
  expect(idDataset("pairs", given, { ...ends, contextLength: 6 }).summary.dropped.tooLong).toBe(0);
  const withEnd = () => idDataset("pairs", given, { ...ends, sourceEndId: 2, contextLength: 4 });
  expect(withEnd).toThrow(/at least one example/);
});

describe("held-out pairs", () => {
  const pairs = Array.from({ length: 90 }, (_, i) => ({ source: `Source ${i % 30}`, target: `target ${i}` }));
  const tokenizer = characterTokenizer(pairs.map(({ source, target }) => source + target).join(""));

  test.each([{ fraction: 0.2 }, { count: 7 }])("%o: no source is on both sides", async (heldOut) => {
    const data = await pairDataset(pairs, { tokenizer, heldOut });
    const held = new Set<string>();
    for await (const { source } of data.heldOutExamples()) held.add(source);
    expect(held.size).toBeGreaterThan(2);
    if ("count" in heldOut) expect([held.size, data.summary.heldOutExamples]).toEqual([7, 7]);
    const learned = new Set<string>();
    for await (const { batch, epoch } of data.batches({ tokens: 64, contextLength: 32 }, { seed: 1 })) {
      if (epoch === 1) break;
      for (const pair of pairsOf(batch)) learned.add(tokenizer.decode(pair.split(" / ")[0].split(" ").map(Number)));
    }
    expect(learned.size).toBeGreaterThan(0);
    expect([...learned].filter((source) => held.has(source))).toEqual([]);
    expect(learned.size + held.size).toBe(30);
  });

  test("pairs with one side empty, or too long on either, are left out and counted", async () => {
    const given = [
      { source: "a", target: "b" },
      { source: "", target: "b" },
      { source: "a", target: " " },
      { source: "aaaa", target: "b" },
      { source: "a", target: "bbb" },
    ];
    const options = { tokenizer: characterTokenizer("ab"), maxLength: { source: 3, target: 2 } };
    const data = await pairDataset(given, options);
    expect(data.summary).toEqual({
      trainExamples: 1,
      heldOutExamples: 0,
      dropped: { empty: 2, tooLong: 2, shared: 0 },
    });
  });
});
