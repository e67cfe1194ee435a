/** The conformance suite in a page: every instruction set that the browser has, with one thread and with two. */
import type { Browser, Page as Tab } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeUnless } from "../support/describe-unless.js";
import type * as page from "./conformance-page.js";
import { bundled, launchChromium, serveSite, whyNoPage } from "./site.js";

type Outcome = Awaited<ReturnType<typeof page.conformance>>;

describeUnless(
  whyNoPage,
  "the conformance suite in a page",
  () => {
    let browser: Browser;
    let site: Awaited<ReturnType<typeof serveSite>>;
    let tab: Tab;

    beforeAll(async () => {
      site = await serveSite(
        await bundled("test/browser/conformance-page.ts", { vitest: "test/browser/page-tests.ts" }),
      );
      browser = await launchChromium();
      tab = await browser.newPage();
      await tab.goto(site.address);
      await tab.waitForFunction("globalThis.hitherto !== undefined");
    }, 120_000);
    afterAll(async () => {
      await browser?.close();
      await site?.close();
    });

    async function expectSuccess(call: string, atLeast: number): Promise<void> {
      const { count, failures } = (await tab.evaluate(`hitherto.${call}`)) as Outcome;
      expect(failures).toEqual([]);
      expect(count).toBeGreaterThanOrEqual(atLeast);
    }

    test.each(["simd128", "relaxed_simd"])("%s", async (set) => {
      await expectSuccess(`conformance("${set}")`, 30);
      await expectSuccess(`sameBits("${set}", 1, "${set}", 2)`, 15);
    });

    test("relaxed dot products, where they are exact: the bits of relaxed_simd", async () => {
      const sets = (await tab.evaluate("hitherto.instructionSets()")) as string[];
      expect(sets).toEqual(expect.arrayContaining(["simd128", "relaxed_simd"]));
      for (const set of sets.slice(2)) await expectSuccess(`sameBits("relaxed_simd", 1, "${set}", 2)`, 15);
    });
  },
  300_000,
);
