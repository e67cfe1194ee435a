import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand } from "../../test/cli.js";
import { tinyModel } from "../../test/support/tiny-checkpoint.js";
import { FormatError } from "../core/errors.js";
import { loadModel } from "../load-model.node.js";
import { ConfigReader } from "./config-reader.js";
import { generationDefaults } from "./generation-defaults.js";

const read = (values: Record<string, unknown>) =>
  generationDefaults(new ConfigReader(values, "generation_config.json"));

describe("generation_config.json", () => {
  test("sampling counts where the file says that tokens are drawn, and what changes nothing is left out", () => {
    const filters = { temperature: 0.7, top_k: 20, top_p: 0.9, min_p: 0, typical_p: 1, eta_cutoff: 3e-4 };
    const sampling = { temperature: 0.7, topK: 20, topP: 0.9, etaCutoff: 3e-4 };
    expect(read({ do_sample: true, ...filters })).toEqual({ sampling });
    expect(read({ do_sample: true, top_k: 0 })).toEqual({ sampling: { temperature: 1 } });
    expect(read({ ...filters })).toEqual({});
    expect(read({ do_sample: true, temperature: 0, top_k: 5 })).toEqual({});
    const penalties = { repetitionPenalty: 1.1, noRepeatNgramSize: 3 };
    expect(read({ repetition_penalty: 1.1, no_repeat_ngram_size: 3 })).toEqual({ penalties });
    expect(read({ repetition_penalty: 1 })).toEqual({});
    expect(() => read({ do_sample: true, top_p: "most" })).toThrow(FormatError);
    expect(() => read({ repetition_penalty: -1 })).toThrow(/repetition_penalty/);
  });

  test("is what `hitherto generate` does unless a flag says otherwise", async () => {
    const folder = tinyModel();
    const config = { do_sample: true, temperature: 0.9, top_k: 5, repetition_penalty: 1.3 };
    writeFileSync(join(folder, "generation_config.json"), JSON.stringify(config));
    await using model = await loadModel(folder, { backend: "reference" });
    const expected = async (sampling: object, penalties?: object) => {
      using session = await model.session("Hello", { sampling, ...(penalties === undefined ? {} : { penalties }) });
      return await session.take(10);
    };
    const check = async (flags: string[], wanted: number[]) => {
      const got = await ids(...flags);
      // The command stops where the model ends its text.
      expect(got.length).toBeGreaterThan(3);
      expect(got).toEqual(wanted.slice(0, got.length));
    };
    const ids = async (...flags: string[]) => {
      const words = ["generate", "Hello", "--model", folder, "--backend", "reference", "--max-tokens", "10", "--json"];
      const { tokens } = JSON.parse((await runCommand([...words, ...flags])).stdout);
      return tokens.map(({ id }: { id: number }) => id);
    };
    expect(model.generationDefaults).toEqual({
      sampling: { temperature: 0.9, topK: 5 },
      penalties: { repetitionPenalty: 1.3 },
    });
    const penalties = { repetitionPenalty: 1.3 };
    await check(["--seed", "7"], await expected({ temperature: 0.9, topK: 5, seed: 7 }, penalties));
    const asked = ["--seed", "7", "--top-k", "50", "--repetition-penalty", "1"];
    await check(asked, await expected({ temperature: 0.9, topK: 50, seed: 7 }));
    await check(["--temperature", "0"], await expected({}, penalties));
  });
});
