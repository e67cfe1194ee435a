/**
 * Stands for Vitest where a suite runs in a page: as much of it as the conformance suite uses. Tests are collected as
 * they are declared, and run one after the other by `runTests`.
 */

export interface Failure {
  readonly test: string;
  readonly message: string;
}

type Body = () => unknown;
interface Step {
  /** Nothing for what prepares and tidies up. */
  readonly test?: string;
  readonly body: Body;
}

const names: string[] = [];
let steps: Step[] = [];

export function describe(name: string, ...rest: unknown[]): void {
  names.push(name);
  const tidying: Step[] = [];
  hooks.push(tidying);
  (rest.at(-1) as Body)();
  steps.push(...(hooks.pop() as Step[]));
  names.pop();
}

const hooks: Step[][] = [];

/** Called before the tests that it is for are declared. */
export function beforeAll(body: Body): void {
  steps.push({ body });
}

export function afterAll(body: Body): void {
  hooks.at(-1)!.push({ body });
}

export function test(name: string, body: Body): void {
  steps.push({ test: [...names, name].join(" > "), body });
}

/** Runs what was declared since the last call. @returns how many tests there were, and those that failed */
export async function runTests(): Promise<{ readonly count: number; readonly failures: readonly Failure[] }> {
  const declared = steps;
  steps = [];
  const failures: Failure[] = [];
  for (const { test, body } of declared) {
    try {
      await body();
    } catch (error) {
      failures.push({ test: test ?? "preparing", message: error instanceof Error ? error.message : String(error) });
    }
  }
  return { count: declared.filter((step) => step.test !== undefined).length, failures };
}

class Containing {
  constructor(readonly items: readonly unknown[]) {}
}

function check(holds: boolean, actual: unknown, wanted: string, message = ""): void {
  if (!holds) throw new Error(`${message}: ${String(actual)} is not ${wanted}`);
}

export function expect(actual: unknown, message?: string) {
  return {
    toBeGreaterThan: (limit: number) => check((actual as number) > limit, actual, `above ${limit}`, message),
    toBeLessThanOrEqual: (limit: number) => check((actual as number) <= limit, actual, `at most ${limit}`, message),
    toEqual: (wanted: Containing) =>
      check(
        wanted.items.every((item) => (actual as unknown[]).includes(item)),
        actual,
        `a list with ${wanted.items}`,
        message,
      ),
  };
}
expect.arrayContaining = (items: readonly unknown[]) => new Containing(items);
