import { describe, expect, test } from "vitest";
import { availableBackends } from "../../test/support/backends.js";
import { t5 } from "../../test/support/tiny-training.js";
import { createBackend } from "../load-model.node.js";
import { pairDataset } from "./data/memory-datasets.js";
import { trainTokenizer } from "./data/train-tokenizer.js";
import { distilled } from "./distillation.js";
import { inferenceModel } from "./inference.js";
import { train } from "./train.js";
import { TrainableModel } from "./trainable-model.js";

const letters = "abcdefgh";
const sources = Array.from({ length: 64 }, (_, i) => letters[i % 8]! + letters[Math.floor(i / 8)]!);

describe("sequence-level distillation", () => {
  test("gives every source the answer that the teacher finds best, side by side or alone", async () => {
    const saved = await trainTokenizer([letters], {
      vocabulary: { kind: "characters" },
      special: { pad: "<pad>", begin: "<s>", end: "</s>" },
    });
    const { tokenizer, files } = saved;
    const [startId, endId] = [tokenizer.beginId!, tokenizer.endIds[0]!];
    const pairs = sources.map((source) => ({ source, target: [...source].reverse().join("") }));
    const data = await pairDataset(pairs, { tokenizer, startId, endId });
    const backend = await createBackend({ backend: availableBackends[0] });
    const config = { ...t5, vocab_size: tokenizer.vocabSize, decoder_start_token_id: startId, eos_token_id: endId };
    const teacher = TrainableModel.create(config, { backend, seed: 1, tokenizerFiles: files });
    const options = {
      batch: { tokens: 96, contextLength: 16 },
      optimizer: { kind: "adamw", learningRate: 1e-2 },
      schedule: { kind: "cosine", steps: 150 },
    } as const;
    for await (const _ of train(teacher, data, options));
    await using model = await inferenceModel(teacher, { sequences: 16 });
    const some = sources.slice(0, 9);
    const answers = [];
    for await (const pair of distilled(model, some, { beams: 2, maxTokens: 8, sideBySide: 4 })) answers.push(pair);
    const alone = await Promise.all(
      some.map(async (source) => (await model.beamSearch({ source }, { beams: 2, maxTokens: 8 }))[0]!),
    );
    const ended = some.flatMap((source, i) =>
      alone[i]!.stop.kind === "end" ? [{ source, target: alone[i]!.text }] : [],
    );
    expect(answers).toEqual(ended);
    expect(answers.length).toBeGreaterThan(4);
    expect(answers.filter(({ source, target }) => [...target].reverse().join("") === source).length).toBeGreaterThan(4);
    teacher.dispose();
    await model.dispose();
    await backend.dispose();
  });
});
