import { expect, test } from "vitest";
import { configJson } from "./config-json.js";

const values = {
  vocab_size: 67,
  attn_logit_softcapping: 50,
  rms_norm_eps: 1e-6,
  attention_dropout: 0,
  sliding_window: null,
  rope_parameters: { rope_theta: 10000, factor: 8, long_factor: [1, 1.5], original_max_position_embeddings: 32 },
  eos_token_id: [1, 2],
  architectures: ["A\nB"],
  empty: {},
};

test("numbers that Python declares as floats are written as floats, and all else as it is", () => {
  const text = configJson({ ...values, absent: undefined });
  for (const line of [
    '"attn_logit_softcapping": 50.0,',
    '"attention_dropout": 0.0,',
    '"rope_theta": 10000.0,',
    '"factor": 8.0,',
  ])
    expect(text).toContain(line);
  for (const line of ['"vocab_size": 67,', '"original_max_position_embeddings": 32', '"rms_norm_eps": 0.000001,'])
    expect(text).toContain(line);
  expect(text).toMatch(/"long_factor": \[\s+1\.0,\s+1\.5\s+\]/);
  expect(JSON.parse(text)).toEqual(values);
  expect(text.endsWith("\n}\n")).toBe(true);
});
