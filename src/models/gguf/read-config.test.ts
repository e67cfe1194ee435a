import { describe, expect, test } from "vitest";
import { FormatError, UnsupportedError } from "../../core/errors.js";
import { GgufMetadata, type GgufValue } from "../../formats/index.js";
import { MetadataFields } from "./metadata-fields.js";
import type { GgufArchitecture } from "./names.js";
import { configFromGguf } from "./read-config.js";

/** The configuration of a model of two heads of eight, with some keys of its own. */
function configOf(architecture: GgufArchitecture, own: Record<string, number | string> = {}) {
  const keys = {
    embedding_length: 16,
    feed_forward_length: 32,
    block_count: 1,
    context_length: 64,
    "attention.head_count": 2,
    "attention.layer_norm_rms_epsilon": 1e-5,
    ...own,
  };
  const value = (each: number | string): GgufValue =>
    typeof each === "string" ? { type: "string", value: each } : { type: "f64", value: each };
  const entries = new Map(Object.entries(keys).map(([key, each]) => [`${architecture}.${key}`, value(each)]));
  const fields = new MetadataFields(new GgufMetadata(entries), architecture, "test.gguf");
  return configFromGguf(architecture, fields, { vocabSize: 10, has: () => false });
}

describe("GGUF metadata that changes the mathematics is never passed over", () => {
  test("heads that turn in part", () => {
    expect(configOf("llama", { "rope.dimension_count": 8 })).toMatchObject({ head_dim: 8 });
    for (const architecture of ["llama", "qwen2", "qwen3", "gemma2", "gemma3"] as const) {
      expect(() => configOf(architecture, { "rope.dimension_count": 4 }), architecture).toThrow(FormatError);
    }
    expect(configOf("phi3", { "rope.dimension_count": 4 })).toMatchObject({ partial_rotary_factor: 0.5 });
  });

  test("kinds of scaling that are unknown", () => {
    expect(configOf("llama", { "rope.scaling.type": "none" })).toMatchObject({ rope_scaling: null });
    expect(() => configOf("llama", { "rope.scaling.type": "dynamic" })).toThrow(UnsupportedError);
  });
});
