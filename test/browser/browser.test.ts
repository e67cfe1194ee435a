/** The package in a page: the same text and the same bits as WebAssembly gives in Node. */
import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type * as hitherto from "../../src/index.js";
import { loadModel } from "../../src/load-model.node.js";
import { describeUnless } from "../support/describe-unless.js";
import { bundled, launchChromium, serveSite, whyNoPage } from "./site.js";

/** The page's module leaves the package here. */
interface Page {
  readonly hitherto: typeof hitherto;
}

/** What a page answers. */
interface Answer {
  readonly isolated: boolean;
  readonly threads: number;
  readonly instructionSet: string;
  readonly text: string;
  readonly logits: number[];
}

const prompt = "Once upon a time";

describeUnless(whyNoPage, "the package in a page", () => {
  let browser: Browser;
  let site: Awaited<ReturnType<typeof serveSite>>;

  beforeAll(async () => {
    site = await serveSite(await bundled());
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await site.close();
  });

  async function open(tab: Tab, page: string): Promise<void> {
    await tab.goto(`${site.address}${page}`);
    await tab.waitForFunction("globalThis.hitherto !== undefined");
  }

  async function ask(page: string, instructionSet: string, threads: number): Promise<Answer> {
    const tab = await browser.newPage();
    try {
      await open(tab, page);
      return await tab.evaluate(tellStory, { instructionSet, threads, prompt });
    } finally {
      await tab.close();
    }
  }

  test.each(["simd128", "relaxed_simd"])(
    "the same text and bits as in Node, with two threads: %s",
    async (instructionSet) => {
      const answer = await ask("/", instructionSet, 2);
      await using model = await loadModel("stories", { backend: "wasm", instructionSet });
      let text = "";
      for await (const step of model.generate(prompt, { maxTokens: 40 })) text += step.text;
      expect(answer).toMatchObject({ isolated: true, threads: 2, instructionSet, text });
      expect(answer.logits).toEqual(Array.from(await model.logits(model.tokenizer.encode(prompt))));
    },
  );

  test("a page that may not have threads has one, and the same bits", async () => {
    const [plain, isolated] = [await ask("/plain", "simd128", 2), await ask("/", "simd128", 2)];
    expect(plain).toMatchObject({ isolated: false, threads: 1, text: isolated.text });
    expect(plain.logits).toEqual(isolated.logits);
  });

  test("what is not there is named", async () => {
    const tab = await browser.newPage();
    await open(tab, "/");
    const message = await tab.evaluate(async () => {
      const { loadModel } = (globalThis as unknown as Page).hitherto;
      return loadModel("/models/nothing/", { kernels: "/wasm/" }).catch((error: { code: string }) => error.code);
    });
    expect(message).toBe("FILE_NOT_FOUND");
    await tab.close();
  });
});

/** Runs in the page. */
async function tellStory(options: { instructionSet: string; threads: number; prompt: string }): Promise<Answer> {
  const { loadModel } = (globalThis as unknown as Page).hitherto;
  const { instructionSet, threads, prompt: beginning } = options;
  const model = await loadModel("/models/stories/", { kernels: "/wasm/", instructionSet, threads });
  let text = "";
  for await (const step of model.generate(beginning, { maxTokens: 40 })) text += step.text;
  const logits = Array.from(await model.logits(model.tokenizer.encode(beginning)));
  const { backend } = model.engine.network;
  const answer = {
    isolated: crossOriginIsolated,
    threads: backend.threads,
    instructionSet: backend.instructionSet,
    text,
    logits,
  };
  await model.dispose();
  return answer;
}
