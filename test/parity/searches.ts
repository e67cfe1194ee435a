/** What the fixtures of PyTorch's searches share: cases, and how their hypotheses are compared. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { BeamSearchOptions } from "../../src/generation/search/options.js";
import { loadModel } from "../../src/load-model.node.js";
import { availableBackends } from "../support/backends.js";

export interface SearchCase {
  readonly num_beams: number;
  readonly length_penalty: number;
  readonly prompts: number[][];
  /** [prompts][beams] */
  readonly hypotheses: { readonly ids: number[]; readonly score: number }[][];
}

export interface SearchParity<Case> {
  /** The folder of its fixtures beside this file, one file for each checkpoint in `fixtures/`. */
  readonly kind: string;
  /** Each file has more cases than this. */
  readonly moreThan: number;
  /** How far a score may be off, relative to itself, or to 1 where it is smaller. */
  readonly tolerance: number;
  /** What a case asks for beside width, length and length penalty; as many hypotheses as beams unless it says otherwise. */
  options(each: Case): Partial<BeamSearchOptions>;
}

const folder = dirname(fileURLToPath(import.meta.url));

/** The same hypotheses with the same scores as PyTorch found, on every backend. */
export function describeSearches<Case extends SearchCase>(title: string, parity: SearchParity<Case>): void {
  const names = readdirSync(join(folder, parity.kind)).map((file) => file.replace(/\.json$/, ""));
  describe.each(availableBackends)(`${title} as PyTorch's on %s`, (backend) => {
    test.each(names)("%s", async (name) => {
      const { cases, maxNewTokens } = JSON.parse(readFileSync(join(folder, parity.kind, `${name}.json`), "utf8")) as {
        readonly cases: Case[];
        readonly maxNewTokens: number;
      };
      expect(cases.length).toBeGreaterThan(parity.moreThan);
      await using model = await loadModel(join(folder, "fixtures", name), { backend });
      const isDecoder = model.config.kind === "decoder-only";
      // The slow backend proves nothing more with each case than with some.
      for (const each of cases.filter((_, i) => backend !== "reference" || i % 4 === 0)) {
        const { prompts, hypotheses, ...setting } = each;
        const found = await model.beamSearchAll(
          prompts.map((ids) => (isDecoder ? ids : { source: ids })),
          {
            beams: each.num_beams,
            count: each.num_beams,
            maxTokens: maxNewTokens,
            lengthPenalty: each.length_penalty,
            ...parity.options(each),
          },
        );
        const what = JSON.stringify(setting);
        const ids = found.map((row) => row.map(({ tokens }) => tokens));
        expect(ids, what).toEqual(hypotheses.map((row) => row.map((hypothesis) => hypothesis.ids)));
        for (const [i, { score }] of found.flat().entries()) {
          const expected = hypotheses.flat()[i]!.score;
          expect(Math.abs(score - expected), what).toBeLessThan(parity.tolerance * Math.max(1, Math.abs(expected)));
        }
      }
    });
  });
}
