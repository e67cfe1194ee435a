import { describe, expect, test } from "vitest";
import { countingData, gpt2, reversedData, t5 } from "../../test/support/tiny-training.js";
import { ReferenceBackend } from "../backends/reference/reference-backend.js";
import { dequantize } from "../formats/index.js";
import { regularisation } from "./config/parts.js";
import type { Batch } from "./data/batch.js";
import { exposureBias } from "./exposure-bias.js";
import { inferenceModel } from "./inference.js";
import { mixed, replacements, type ScheduledSampling, trueShare } from "./scheduled-sampling.js";
import { train } from "./train.js";
import { TrainableModel } from "./trainable-model.js";

const scheduleOf = (scheduledSampling: object) =>
  regularisation.read({ scheduledSampling }, "").scheduledSampling as ScheduledSampling;
const sharesOf = (schedule: object, ...steps: number[]) => steps.map((step) => trueShare(scheduleOf(schedule), step));

describe("the share of true tokens", () => {
  test("falls along a line to its floor", () => {
    expect(sharesOf({ kind: "linear", slope: 0.25, floor: 0.4 }, 1, 2, 3)).toEqual([0.75, 0.5, 0.4]);
  });

  test("falls exponentially", () => {
    expect(sharesOf({ kind: "exponential", base: 0.5 }, 1, 3)).toEqual([0.5, 0.125]);
  });

  test("falls as an inverse sigmoid", () => {
    const [early, late] = sharesOf({ kind: "inverse-sigmoid", k: 10 }, 1, 60);
    expect(early).toBeCloseTo(10 / (10 + Math.exp(0.1)), 12);
    expect(late).toBeCloseTo(10 / (10 + Math.exp(6)), 12);
  });
});

/** Two sequences, the first with a prompt of two tokens. */
const batch: Batch = {
  ids: Int32Array.of(1, 5, 6, 7, 1, 8, 9),
  targets: Int32Array.of(-1, 6, 7, 2, 8, 9, 2),
  positions: Int32Array.of(0, 1, 2, 3, 0, 1, 2),
  first: new Int32Array(7),
  end: new Int32Array(7),
  counted: 6,
};

describe("a mixed batch", () => {
  test("reads predictions in the place of predicted tokens alone", () => {
    const likeliest = [20, 21, 22, 23, 24, 25, 26];
    const all = mixed(batch, likeliest, () => true);
    expect([...all.ids]).toEqual([1, 5, 21, 22, 1, 24, 25]);
    expect(all.targets).toBe(batch.targets);
    expect(mixed(batch, likeliest, () => false).ids).toEqual(batch.ids);
    expect([...batch.ids]).toEqual([1, 5, 6, 7, 1, 8, 9]);
  });

  test("has as many of them as are drawn, and the same ones again", () => {
    const drawn = (part: number) => Array.from({ length: 4000 }, (_, row) => replacements(0.3, 1, 7, part)(row));
    expect(drawn(0).filter(Boolean).length / 4000).toBeCloseTo(0.7, 1);
    expect(drawn(0)).toEqual(drawn(0));
    expect(drawn(0)).not.toEqual(drawn(1));
  });
});

describe("a run with scheduled sampling", () => {
  const backend = new ReferenceBackend(dequantize);

  async function lossesOf(scheduledSampling: object | undefined): Promise<number[]> {
    using model = TrainableModel.create(t5, { backend, seed: 4 });
    const losses: number[] = [];
    for await (const { loss } of train(model, reversedData(), {
      batch: { tokens: 48, contextLength: 16 },
      optimizer: { kind: "adamw", learningRate: 1e-2 },
      schedule: { kind: "constant", steps: 5 },
      regularisation: scheduledSampling === undefined ? {} : ({ scheduledSampling } as object),
    })) {
      losses.push(loss);
    }
    return losses;
  }

  test("learns from what it reads: the truth alone while the share is one, then its own tokens too", async () => {
    const forced = await lossesOf(undefined);
    expect(await lossesOf({ kind: "linear", slope: 1e-9, floor: 1 })).toEqual(forced);
    const sampled = await lossesOf({ kind: "exponential", base: 0.01 });
    expect(sampled).not.toEqual(forced);
    expect(sampled.at(-1)).toBeLessThan(sampled[0]!);
  });

  test("the bias of exposure is the loss after greedy text, less that after the truth", async () => {
    using model = TrainableModel.create(gpt2, { backend, seed: 2 });
    const shape = { tokens: 64, contextLength: 16 };
    const measured = await exposureBias(model, countingData(), shape);
    expect(measured.tokens).toBe(countingData().heldOutTokens);
    expect(measured.difference).toBeCloseTo(measured.free - measured.forced, 9);
    // The same by a session: the loss of each true token after the model's own.
    await using inference = await inferenceModel(model);
    let free = 0;
    for await (const { ids, targets, positions } of countingData().heldOut(shape)) {
      const starts = [...positions.keys()].filter((row) => positions[row] === 0);
      for (const [i, start] of starts.entries()) {
        const length = (starts[i + 1] ?? ids.length) - start;
        using session = await inference.session([ids[start]!]);
        for (let row = start; row < start + length; row++) {
          const logits = await session.logits();
          const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
          free += Math.log(sum) - logits[targets[row]!]!;
          if (row + 1 < start + length) await session.step();
        }
      }
    }
    expect(measured.free).toBeCloseTo(free / measured.tokens, 4);
  });
});
