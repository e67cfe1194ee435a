import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeAll, expect, test } from "vitest";
import { describeWithData } from "../../test/data.js";
import type { CacheOptions } from "../load-model.js";
import { loadModel } from "../load-model.node.js";
import { evaluate } from "./evaluate.js";

describeWithData("text", "the embedded model with a cache in fewer bytes, over held-out text", (folder) => {
  let text: string;
  let plain: number;

  async function perplexity(cache: CacheOptions): Promise<number> {
    await using model = await loadModel("stories", { cache });
    return (await evaluate(model, text)).perplexity;
  }

  beforeAll(async () => {
    const all = gunzipSync(readFileSync(join(folder, "stories", "valid.txt.gz"))).toString("utf8");
    text = all.slice(0, 20_000);
    plain = await perplexity({});
  }, 60_000);

  test.each([
    ["bf16", 0.5, 0.5],
    ["int8", 0.3, 0.5],
    ["int4", 0.17, 2],
  ] as const)(
    "%s takes at most %d of float32 and adds at most %d percent of perplexity",
    async (codec, share, percent) => {
      expect(100 * ((await perplexity({ codec })) / plain - 1)).toBeLessThanOrEqual(percent);
      await using model = await loadModel("stories", { cache: { codec } });
      using session = await model.session("Once upon a time");
      await session.logits();
      for (const { keys, values } of session.cacheReport().layers) {
        expect(keys.compression).toBeLessThanOrEqual(share);
        expect(values.compression).toBeLessThanOrEqual(share);
      }
    },
  );
});
