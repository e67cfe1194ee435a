/**
 * Same question, same bits: the logits of a position never depend on how they were asked for. Every comparison here
 * is of bits, on every backend and instruction set that this machine has.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nativeInstructionSets } from "../../src/backends/cpu/native-runtime.node.js";
import { CounterRandom } from "../../src/core/random.js";
import type { StorageType } from "../../src/core/storage.js";
import type { GenerationOptions } from "../../src/generation/generate.js";
import type { Model } from "../../src/generation/model.js";

import type { SpeculationOptions } from "../../src/generation/speculation/options.js";
import { type CacheOptions, modelFrom } from "../../src/load-model.js";
import { type BackendName, createBackend, type LoadModelOptions, loadModel } from "../../src/load-model.node.js";
import { saveSession } from "../../src/session-files.node.js";
import { describeUnless } from "../support/describe-unless.js";

import { randomLlama, smallShape } from "../support/random-llama.js";
import { temporaryFolder } from "../support/tiny-checkpoint.js";
import { storyCheckpoint } from "../support/tiny-model.js";
import { type Continuation, restoreElsewhere } from "./restore-elsewhere.js";

const random = new CounterRandom(3);
const tokens = (count: number, stream = 0): number[] =>
  Array.from({ length: count }, (_, i) => Math.floor(random.uniform(stream * 10_000 + i) * smallShape.vocabSize));

/** Prefixes are not shared unless asked for, so that every comparison is with what was run. */
async function load(
  options: LoadModelOptions,
  storage: StorageType,
  { seed = 1, cache = { prefixes: false } }: { readonly seed?: number; readonly cache?: CacheOptions } = {},
): Promise<Model> {
  const backend = await createBackend(options);
  return modelFrom(randomLlama(smallShape, storage, seed), backend, { cache: { ...options.cache, ...cache } }, () =>
    backend.dispose(),
  );
}

/** The bits of logits, so that a failure shows where they differ. */
const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** Caches that hold something else than float32. */
const heldOtherwise: readonly CacheOptions[] = [
  { codec: "f16" },
  { codec: "bf16" },
  { codec: "int8" },
  { codec: "int4" },
  { keys: "int4", values: "f16" },
];

const configurations: [string, LoadModelOptions, StorageType][] = [
  ["reference f32", { backend: "reference" }, "f32"],
  ...nativeInstructionSets().flatMap((instructionSet) =>
    (["f32", "q8_0", "q4_0", "mxfp4", "f16", "bf16"] as const).map(
      (storage): [string, LoadModelOptions, StorageType] => [
        `native ${instructionSet} ${storage}`,
        { backend: "native", instructionSet, threads: 2 },
        storage,
      ],
    ),
  ),
  ...(["f32", "q8_0"] as const).map((storage): [string, LoadModelOptions, StorageType] => [
    `wasm ${storage}`,
    { backend: "wasm", threads: 2 },
    storage,
  ]),
  ...cacheConfigurations("reference", [{ codec: "int4" }]),
  ...(nativeInstructionSets().length > 0 ? cacheConfigurations("native", heldOtherwise) : []),
  ...cacheConfigurations("wasm", heldOtherwise.slice(2)),
];

function cacheConfigurations(backend: BackendName, caches: readonly CacheOptions[]) {
  return caches.map((cache): [string, LoadModelOptions, StorageType] => {
    const { codec, keys = codec, values = codec } = cache;
    return [`${backend} f32, cache ${keys} and ${values}`, { backend, threads: 2, cache }, "f32"];
  });
}

describe.each(configurations)("same question, same bits: %s", (_, options, storage) => {
  let model: Model;
  let whole: Float32Array;
  const prompt = tokens(70);
  const vocabSize = smallShape.vocabSize;
  const rowOf = (all: Float32Array, row: number) => all.slice(row * vocabSize, (row + 1) * vocabSize);

  beforeAll(async () => {
    model = await load(options, storage);
    whole = await model.logits(prompt);
  });
  afterAll(() => model.dispose());

  /** Logits after the last of `ids`, fed in pieces of the given sizes. */
  async function fed(ids: number[], ...pieces: number[]): Promise<Float32Array> {
    using session = await model.session(ids.slice(0, pieces[0]!));
    let from = pieces[0]!;
    await session.logits();
    for (const piece of pieces.slice(1)) {
      await session.append(ids.slice(from, from + piece));
      from += piece;
    }
    return (await session.logits()).slice();
  }

  test("cached decode equals whole prefill, at every position", async () => {
    using session = await model.session(prompt.slice(0, 1));
    for (let row = 0; row < prompt.length; row++) {
      expect(bits((await session.logits()).slice())).toEqual(bits(rowOf(whole, row)));
      if (row + 1 < prompt.length) await session.step({ token: prompt[row + 1]! });
    }
  });

  test("chunked prefill equals whole prefill", async () => {
    const last = bits(rowOf(whole, 69));
    expect(bits(await fed(prompt, 70))).toEqual(last);
    expect(bits(await fed(prompt, 1, 69))).toEqual(last);
    expect(bits(await fed(prompt, 33, 17, 20))).toEqual(last);
    expect(bits(await fed(prompt, 16, 16, 16, 16, 6))).toEqual(last);
  });

  test("a sequence in a batch with strangers equals the sequence alone", async () => {
    const { engine } = model;
    const others = [tokens(5, 1), prompt, tokens(90, 2), tokens(1, 3)];
    const sequences = await Promise.all(others.map(() => engine.sequence()));
    const rows: Float32Array[] = [];
    const parts = others.map((ids, i) => ({ sequence: sequences[i]!, ids, outputs: "last" as const }));
    await engine.advance(parts, {
      onOutput: ({ part, logits }) => {
        rows[part] = logits.slice();
      },
    });
    for (const sequence of sequences) sequence.dispose();
    expect(bits(rows[1]!)).toEqual(bits(rowOf(whole, 69)));
    for (const i of [0, 2, 3]) expect(bits(rows[i]!)).toEqual(bits(await fed(others[i]!, others[i]!.length)));
  });

  test("a rewound session continues as a fresh one, drawn tokens included", async () => {
    const sampling = { temperature: 0.9, topP: 0.95, seed: 11 };
    using fresh = await model.session(prompt, { sampling });
    const expected = await fresh.take(20);
    using rewound = await model.session(prompt, { sampling });
    await rewound.take(20);
    rewound.rewind(20);
    expect(await rewound.take(20)).toEqual(expected);
    rewound.rewind(7);
    expect(await rewound.take(7)).toEqual(expected.slice(13));
    expect(bits((await rewound.logits()).slice())).toEqual(bits((await fresh.logits()).slice()));
  });

  test("forks continue as fresh sessions, and do not disturb their parent", async () => {
    using parent = await model.session(prompt.slice(0, 37));
    await parent.logits();
    using fork = parent.fork();
    using second = parent.fork();
    await fork.append(tokens(20, 5));
    await second.append(prompt.slice(37));
    await parent.append(prompt.slice(37));
    const last = bits(rowOf(whole, 69));
    expect(bits((await parent.logits()).slice())).toEqual(last);
    expect(bits((await second.logits()).slice())).toEqual(last);
    const other = [...prompt.slice(0, 37), ...tokens(20, 5)];
    expect(bits((await fork.logits()).slice())).toEqual(bits(await fed(other, other.length)));
  });

  const proposers = {
    "a random draft": async () => ({ draft: await load(options, storage, { seed: 2 }), tokens: 5 }),
    "itself as draft": async () => ({ draft: model, tokens: 5 }),
    lookup: async () => ({ lookup: { shortest: 1 } }),
    "early exit": async () => ({ earlyExit: 2, tokens: 5 }),
    Jacobi: async () => ({ jacobi: true }),
    lookahead: async () => ({ lookahead: true }),
  };
  test.each(Object.entries(proposers))("speculation is greedy decoding: %s", async (_, proposer) => {
    const speculation: SpeculationOptions = await proposer();
    const steps = async (generation: GenerationOptions) => {
      const all: (readonly [number, number])[] = [];
      for await (const { token, logprob } of model.generate(prompt.slice(0, 20), generation))
        all.push([token, logprob]);
      return all;
    };
    const plain = { maxTokens: 40 };
    expect(await steps({ ...plain, speculation: { ...speculation, adaptive: false } })).toEqual(await steps(plain));
    if (speculation.draft !== model) await speculation.draft?.dispose();
  });

  test("an edited session continues as a fresh one", async () => {
    using session = await model.session(tokens(70, 6));
    await session.logits();
    for (const [position, token] of prompt.entries()) session.edit(position, token);
    expect(bits((await session.logits()).slice())).toEqual(bits(rowOf(whole, 69)));
    session.splice(30, 20);
    const shorter = [...prompt.slice(0, 30), ...prompt.slice(50)];
    expect(bits((await session.logits()).slice())).toEqual(bits(await fed(shorter, 50)));
    session.splice(30, 0, prompt.slice(30, 50));
    expect(bits((await session.logits()).slice())).toEqual(bits(rowOf(whole, 69)));
  });

  test("a restored session continues as the one that was saved", async () => {
    const sampling = { temperature: 0.9, seed: 11 };
    using session = await model.session(prompt.slice(0, 43), { sampling });
    await session.take(5);
    const other = await load(options, storage);
    using restored = await other.restore(await session.save());
    expect(await restored.take(20)).toEqual(await session.take(20));
    expect(bits((await restored.logits()).slice())).toEqual(bits((await session.logits()).slice()));
    restored.dispose();
    await other.dispose();
  });

  test("sessions that share a prefix equal those that do not", async () => {
    await using sharing = await load(options, storage, { cache: {} });
    const ends = [prompt.slice(50), tokens(20, 7), tokens(3, 8)];
    for (const end of ends) {
      const ids = [...prompt.slice(0, 50), ...end];
      using session = await sharing.session(ids);
      expect(bits((await session.logits()).slice())).toEqual(bits(await fed(ids, ids.length)));
    }
    expect(sharing.prefixes).toMatchObject({ hits: 2, tokensSaved: 96 });
  });

  test("a context shifted by recomputing equals a fresh one", async () => {
    using session = await model.session(prompt);
    await session.logits();
    await session.shift({ keep: 5, discard: 18, method: "recompute" });
    const left = [...prompt.slice(0, 5), ...prompt.slice(23)];
    expect(bits((await session.logits()).slice())).toEqual(bits(await fed(left, left.length)));
  });

  test("one thread and two give the same bits, on and off the event loop", async () => {
    await using single = await load({ ...options, threads: options.backend === "reference" ? undefined : 1 }, storage);
    expect(bits(await single.logits(prompt))).toEqual(bits(whole));
  });

  test("memory that others have used leaves no trace", async () => {
    const sessions = await Promise.all([1, 2, 3].map((stream) => model.session(tokens(60, stream))));
    for (const session of sessions) await session.take(5);
    for (const session of sessions) session.dispose();
    expect(bits(await model.logits(prompt))).toEqual(bits(whole));
    expect(model.engine.pool.used).toBe(0);
  });
});

describe("in another process", () => {
  test("a restored session continues as the one that was saved, on every backend", async () => {
    const folder = temporaryFolder();
    const expected: Continuation[] = [];
    const places = [
      ...nativeInstructionSets().map((instructionSet) => ({ backend: "native" as const, instructionSet })),
      { backend: "wasm" as const },
    ].map((options, i) => ({ options: { ...options, threads: 1 }, path: join(folder, `${i}.session`) }));
    for (const { options, path } of places) {
      await using model = await loadModel(storyCheckpoint, options);
      using session = await model.session("Once upon a time", { sampling: { temperature: 1, seed: 4 } });
      await session.take(20);
      await saveSession(session, path);
      const tokens = await session.take(20);
      expected.push({ run: 1, tokens, logits: [...bits((await session.logits()).slice())] });
    }
    const continuations = restoreElsewhere(storyCheckpoint, places);
    for (const [i, { options }] of places.entries()) expect(continuations[i], options.backend).toEqual(expected[i]);
  }, 120_000);
});

const single = nativeInstructionSets().length > 1 ? undefined : "fewer than two native ones are here";
describeUnless(single, "across instruction sets", () => {
  test.each(["f32", "q8_0", "q4_0", "mxfp4", "f16", "bf16"] as const)(
    "all native ones give the same bits: %s",
    async (storage) => {
      const prompt = tokens(40);
      let expected: Float32Array | undefined;
      for (const instructionSet of nativeInstructionSets()) {
        await using model = await load({ backend: "native", instructionSet }, storage);
        const actual = await model.logits(prompt);
        expected ??= actual;
        expect(bits(actual), instructionSet).toEqual(bits(expected));
      }
    },
  );

  test.each(heldOtherwise)("all native ones give the same bits with a cache of %o", async (cache) => {
    const prompt = tokens(40);
    let expected: Float32Array | undefined;
    for (const instructionSet of nativeInstructionSets()) {
      await using model = await load({ backend: "native", instructionSet, cache }, "f32");
      const actual = await model.logits(prompt);
      expected ??= actual;
      expect(bits(actual), instructionSet).toEqual(bits(expected));
    }
  });
});
