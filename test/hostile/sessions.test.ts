/** Damaged files of saved sessions: refused with a typed error, or restored to a session that steps. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { crc32 } from "../../src/core/checksum.js";
import type { Model } from "../../src/generation/model.js";
import { randomModel } from "../support/tiny-model.js";
import { byteMutations, type MutationRandom, mutate, mutateJson, withinHeader } from "./mutate.js";
import { survivalTimeoutMs, survive } from "./survive.js";

const options = { timeout: survivalTimeoutMs };
const headerAt = 24;

let model: Model;
let whole: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  model = await randomModel({ contextLength: 64, cache: { positions: 256 } });
  using session = await model.session([1, 2, 3, 4, 5], {
    sampling: { mirostat: { tau: 4 }, seed: 3 },
    penalties: { frequencyPenalty: 0.5, dry: { multiplier: 1 } },
    tokens: { logitBias: { 3: false, 5: 2 }, badWords: [[4, 5]] },
    contextShift: { keep: 2 },
  });
  await session.take(15);
  whole = new Uint8Array(await session.save());
});
afterAll(() => model.dispose());

async function read(bytes: Uint8Array): Promise<void> {
  const session = await model.restore(bytes);
  try {
    await session.step();
  } finally {
    session.dispose();
  }
}

/** The file with checksums that fit what it holds now: damage that somebody meant. */
function signed(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length < headerAt) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = headerAt + view.getUint32(12, true);
  if (end > bytes.length) return bytes;
  view.setUint32(16, crc32(bytes.subarray(headerAt, end)), true);
  view.setUint32(20, crc32(bytes.subarray(end)), true);
  return bytes;
}

/** The file with another header, of whatever length. */
function withHeader(text: string): Uint8Array<ArrayBuffer> {
  const end = headerAt + new DataView(whole.buffer).getUint32(12, true);
  const header = new TextEncoder().encode(text);
  const file = new Uint8Array(headerAt + header.length + whole.length - end);
  file.set(whole.subarray(0, headerAt));
  file.set(header, headerAt);
  file.set(whole.subarray(end), headerAt + header.length);
  new DataView(file.buffer).setUint32(12, header.length, true);
  return signed(file);
}

describe("damaged sessions", () => {
  test("by accident", options, async () => {
    const damage = (random: MutationRandom) => mutate(whole, random, byteMutations);
    const { refused } = await survive({ format: "session", damage, read, count: 1500 });
    expect(refused).toMatchObject({ BAD_FORMAT: expect.any(Number), TRUNCATED_FILE: expect.any(Number) });
    expect(model.engine.pool.used).toBe(0);
  });

  test("on purpose, with checksums that fit", options, async () => {
    const within = byteMutations.map((one) => withinHeader(2000, one));
    const damage = (random: MutationRandom) => signed(mutate(whole, random, within).slice());
    const { refused } = await survive({ format: "signed session", damage, read, count: 1500 });
    expect(refused).toMatchObject({ BAD_FORMAT: expect.any(Number) });
    expect(model.engine.pool.used).toBe(0);
  });

  test("on purpose, with a header that is JSON", options, async () => {
    const end = headerAt + new DataView(whole.buffer).getUint32(12, true);
    const header = JSON.parse(new TextDecoder().decode(whole.subarray(headerAt, end)));
    const damage = (random: MutationRandom) => withHeader(JSON.stringify(mutateJson(header, random)) ?? "null");
    const { accepted, refused } = await survive({ format: "session header", damage, read, count: 1500 });
    expect(accepted).toBeGreaterThan(0);
    expect(refused).toMatchObject({ BAD_FORMAT: expect.any(Number), OTHER_MODEL: expect.any(Number) });
    expect(model.engine.pool.used).toBe(0);
  });
});
