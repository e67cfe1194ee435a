import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidValueError, OutOfRangeError, UnknownOptionError } from "../../core/errors.js";
import { characterTokenizer } from "../../tokenizers/index.js";
import type { Batch, DataPosition, Dataset, PositionedBatch } from "./batch.js";
import { idDataset, textDataset } from "./memory-datasets.js";

const shape = { tokens: 32, contextLength: 8 };
const ends = { vocabSize: 1000, startId: 0, endId: 1 };

async function take(data: Dataset, count: number, seed = 1, from?: DataPosition): Promise<PositionedBatch[]> {
  const taken: PositionedBatch[] = [];
  for await (const each of data.batches(shape, { seed, from })) {
    taken.push(each);
    if (taken.length === count) break;
  }
  return taken;
}

/** Sequences of a batch: what is shown, then what is predicted. */
function sequencesOf({ ids, targets, positions }: Batch): string[] {
  const starts = [...positions.keys()].filter((row) => positions[row] === 0);
  return starts.map((start, index) => {
    const end = starts[index + 1] ?? ids.length;
    return `${ids.slice(start, end).join(" ")} → ${targets.slice(start, end).join(" ")}`;
  });
}

/** Documents of ids 10, 11, …, all different, of the lengths given. */
function documents(lengths: readonly number[]) {
  let next = 10;
  return lengths.map((length) => ({ target: Array.from({ length }, () => next++) }));
}

describe("packed documents", () => {
  test("each begins with the start id, predicts the end id, and sees itself alone", async () => {
    const data = idDataset("text", documents([3, 2]), ends);
    const [{ batch }] = await take(data, 1);
    expect(sequencesOf(batch).sort()).toEqual(["0 10 11 12 → 10 11 12 1", "0 13 14 → 13 14 1"]);
    expect(batch.counted).toBe(7);
    expect(data.trainTokens).toBe(7);
    for (let row = 0; row < batch.ids.length; row++) {
      expect(batch.end[row]).toBe(row + 1);
      expect(batch.first[row]).toBe(row - batch.positions[row]);
    }
  });

  test("in every pass each prediction is made once, whatever the lengths", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 30 }), async (lengths) => {
        const data = idDataset("text", documents(lengths), ends);
        const seen = new Map<number, number[]>();
        for await (const { batch, epoch } of data.batches(shape, { seed: 3 })) {
          if (epoch === 2) break;
          expect(batch.ids.length).toBeLessThanOrEqual(shape.tokens);
          expect(Math.max(...batch.positions)).toBeLessThan(shape.contextLength);
          seen.set(epoch, [...(seen.get(epoch) ?? []), ...batch.targets]);
        }
        const all = lengths.reduce((sum, length) => sum + length, 0);
        const expected = [...Array(lengths.length).fill(1), ...Array.from({ length: all }, (_, i) => 10 + i)];
        for (const targets of seen.values()) expect(targets.sort((a, b) => a - b)).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  test("a long document is cut elsewhere in another pass", async () => {
    const data = idDataset("text", documents([100]), ends);
    const starts = new Map<number, string>();
    for await (const { batch, epoch } of data.batches(shape, { seed: 1 })) {
      if (epoch === 3) break;
      const firsts = [...batch.ids].filter((_, row) => batch.positions[row] === 0);
      starts.set(epoch, [...(starts.get(epoch)?.split(",") ?? []), ...firsts].sort().join());
    }
    expect(new Set(starts.values()).size).toBe(3);
  });

  test("batches are filled: at most one in eight rows stays empty with short documents", async () => {
    const data = idDataset("text", documents(Array.from({ length: 200 }, (_, i) => 1 + (i % 7))), ends);
    const batches = (await take(data, data.batchesPerEpoch(shape, 1))).slice(0, -1);
    const rows = batches.reduce((sum, { batch }) => sum + batch.ids.length, 0);
    expect(rows / (batches.length * shape.tokens)).toBeGreaterThan(7 / 8);
  });

  test("a prompt is shown and not learned", async () => {
    const data = idDataset("text", [{ source: [5, 6], target: [7, 8] }], ends);
    const [{ batch }] = await take(data, 1);
    expect(sequencesOf(batch)).toEqual(["0 5 6 7 8 → -1 -1 7 8 1"]);
    expect(batch.counted).toBe(3);
  });

  test("without ids around documents, nothing but the documents is shown", async () => {
    const data = idDataset("text", [{ target: [5, 6, 7] }], { vocabSize: 10 });
    expect(sequencesOf((await take(data, 1))[0].batch)).toEqual(["5 6 → 6 7"]);
  });
});

describe("order", () => {
  const data = idDataset("text", documents([20, 3, 9, 14, 5, 5, 40, 2, 2, 31]), ends);

  test("depends on the seed and the pass", async () => {
    const passes = async (seed: number) => {
      const perEpoch = data.batchesPerEpoch(shape, seed);
      return (await take(data, perEpoch + 1, seed)).map(({ batch }) => sequencesOf(batch).join());
    };
    const [one, again, other] = [await passes(1), await passes(1), await passes(2)];
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
    expect(one.at(-1)).not.toBe(one[0]);
  });

  test("a run resumed at any batch goes on exactly, also into the next pass", async () => {
    const whole = await take(data, 20);
    for (let done = 0; done < 12; done++) {
      const from = done === 0 ? undefined : JSON.parse(JSON.stringify(whole[done - 1].next));
      expect(await take(data, 8, 1, from)).toEqual(whole.slice(done, done + 8));
    }
  });

  test("refuses positions and shapes that do not exist", async () => {
    await expect(take(data, 1, 1, { epoch: 0, index: 999 })).rejects.toThrow(OutOfRangeError);
    await expect(take(data, 1, 1, { epoch: -1, index: 0 })).rejects.toThrow(OutOfRangeError);
    await expect(take(data, 1, 0.5)).rejects.toThrow(OutOfRangeError);
    expect(() => data.batches({ tokens: 8, contextLength: 9 }, { seed: 1 })).toThrow(OutOfRangeError);
  });
});

describe("windows of one text", () => {
  const text = "To be, or not to be: that is the question.";
  const tokenizer = characterTokenizer(text);
  const options = { tokenizer, packing: "windows", startId: null, endId: null } as const;

  test("are pieces of the text, as many in a batch as fit, all of full length", async () => {
    const data = await textDataset([text], options);
    for (const { batch } of await take(data, 5)) {
      expect(batch.ids.length).toBe(32);
      for (let window = 0; window < 4; window++) {
        const rows = [window * 8, window * 8 + 8] as const;
        const at = text.indexOf(tokenizer.decode(batch.ids.slice(...rows)));
        expect(at).toBeGreaterThanOrEqual(0);
        expect(text).toContain(tokenizer.decode(batch.targets.slice(...rows)));
        expect([...batch.first.slice(...rows)]).toEqual(Array(8).fill(window * 8));
      }
      expect(batch.counted).toBe(32);
    }
  });

  test("reach every place of the text", async () => {
    const data = await textDataset([text], options);
    const starts = new Set((await take(data, 200)).flatMap(({ batch }) => sequencesOf(batch)));
    // As many windows as the text has places; fewer where two of them read the same.
    expect(starts.size).toBe(new Set(Array.from({ length: text.length - 8 }, (_, i) => text.slice(i, i + 9))).size);
  });

  test("documents are joined by the end id", async () => {
    const data = idDataset("text", documents([2, 3, 6]), { vocabSize: 100, packing: "windows", endId: 1 });
    const seen = new Set((await take(data, 50)).flatMap(({ batch }) => sequencesOf(batch)));
    expect(seen).toContain("10 11 1 12 13 14 1 15 → 11 1 12 13 14 1 15 16");
    expect(data.trainTokens).toBe(13);
  });

  test("the last tenth of the characters is held out, and none of it is learned", async () => {
    const data = await textDataset([text], { ...options, heldOut: { last: 0.1 } });
    expect([data.trainTokens, data.heldOutTokens, data.heldOutBytes]).toEqual([36, 4, 5]);
    const held = [];
    for await (const batch of data.heldOut(shape)) held.push(...sequencesOf(batch));
    const ids = tokenizer.encode("tion.", { addSpecialTokens: false });
    expect(held).toEqual([`${ids.slice(0, 4).join(" ")} → ${ids.slice(1).join(" ")}`]);
    for await (const { target } of data.heldOutExamples()) expect(target).toBe("tion.");
  });

  test("a text shorter than a window is refused", async () => {
    const data = await textDataset(["short"], options);
    expect(() => data.batches({ tokens: 8, contextLength: 8 }, { seed: 1 })).toThrow(InvalidValueError);
  });
});

describe("what is held out", () => {
  const letters = Array.from({ length: 300 }, (_, i) => `text ${i % 100}`);
  const tokenizer = characterTokenizer(letters.join(""));

  test("a fraction by the text itself: copies are on one side, and more data does not move them", async () => {
    const sides = async (texts: string[]) => {
      const data = await textDataset(texts, { tokenizer, heldOut: { fraction: 0.2 } });
      const held: string[] = [];
      for await (const { target } of data.heldOutExamples()) held.push(target);
      expect(data.summary.trainExamples + data.summary.heldOutExamples).toBe(texts.length);
      return held;
    };
    const held = await sides(letters);
    expect(held.length % 3).toBe(0); // three copies of each
    expect(held.length).toBeGreaterThan(20);
    expect(held.length).toBeLessThan(100);
    expect(await sides([...letters, "one more"].reverse())).toEqual(expect.arrayContaining(held));
  });

  test("exactly so many, no two the same, and their copies left out of training", async () => {
    const data = await textDataset(letters, { tokenizer, heldOut: { count: 10 } });
    expect(data.summary).toEqual({
      trainExamples: 270,
      heldOutExamples: 10,
      dropped: { empty: 0, tooLong: 0, shared: 20 },
    });
  });

  test("texts of its own; what is in both is not learned", async () => {
    const data = await textDataset(["a", "b", "B ", "c"], {
      tokenizer: characterTokenizer("abc"),
      heldOutTexts: ["b"],
    });
    expect(data.summary.trainExamples).toBe(2);
    expect(data.summary.dropped.shared).toBe(2);
    expect(data.heldOutBytes).toBe(1);
  });

  test("comes whole and in order, every prediction once", async () => {
    const data = idDataset("text", documents([3]), { ...ends, heldOutExamples: documents([20, 2]) });
    const seen: string[] = [];
    for await (const batch of data.heldOut({ tokens: 10, contextLength: 8 })) seen.push(...sequencesOf(batch));
    const predicted = seen.flatMap((text) => text.split(" → ")[1].split(" ").map(Number));
    expect(predicted).toEqual([...Array.from({ length: 20 }, (_, i) => 10 + i), 1, 30, 31, 1]);
    expect(data.heldOutTokens).toBe(24);
  });

  test("what is empty or too long is counted, and nothing at all is an error", async () => {
    const options = { tokenizer: characterTokenizer("abc"), maxLength: 3 };
    const data = await textDataset(["abc", "abca", "", "  ", "b"], options);
    expect(data.summary.dropped).toEqual({ empty: 2, tooLong: 1, shared: 0 });
    await expect(textDataset([""], options)).rejects.toThrow(InvalidValueError);
  });

  test("refuses options that do not exist, and shares that are none", async () => {
    const tokenizer = characterTokenizer("a");
    await expect(textDataset(["a"], { tokenizer, shuffle: true } as never)).rejects.toThrow(UnknownOptionError);
    await expect(textDataset(["a"], { tokenizer, heldOut: { fraction: 2 } })).rejects.toThrow(OutOfRangeError);
    await expect(textDataset(["a"], { tokenizer, heldOut: { count: 1 } })).rejects.toThrow(OutOfRangeError);
    await expect(textDataset(["a"], { tokenizer, startId: 99 })).rejects.toThrow(OutOfRangeError);
  });
});

test("tokenizing stops when it is told to", async () => {
  const reason = new Error("enough");
  const tokenizer = characterTokenizer("a");
  await expect(textDataset(["a"], { tokenizer, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
