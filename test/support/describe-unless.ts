/** Tests that not every machine can run: where they are left out, the reason is printed. */
import { describe, test } from "vitest";

/** `describe`, unless there is a reason to leave its tests out: then one test that is skipped, titled with the reason. */
export function describeUnless(reason: string | undefined, title: string, tests: () => void, timeout?: number): void {
  if (reason === undefined) {
    describe(title, timeout === undefined ? {} : { timeout }, tests);
    return;
  }
  console.warn(`skipped: ${title}: ${reason}`);
  describe(title, () => test.skip(`skipped: ${reason}`, () => {}));
}
