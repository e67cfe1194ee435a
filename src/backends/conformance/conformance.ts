/**
 * What every backend has to do, in one suite: each operation as its definition says, and the same question always
 * answered with the same bits. A backend is finished when this passes on it.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InternalError } from "../../core/errors.js";
import { operations } from "../../graph/operations/index.js";
import type { Backend } from "../backend.js";
import { ReferenceBackend } from "../reference/reference-backend.js";
import { allCases } from "./cases/index.js";
import type { ConformanceCase } from "./fixture.js";
import { firstDifferentBits, largestError, type Measured, measure, waysToSplit } from "./measure.js";
import { randomCases } from "./random-cases.js";
import { decodeStored, knownStorage } from "./stored-values.js";

export type MakeBackend = () => Promise<Backend>;

/** Random cases drawn per operation. */
const randomRuns = 25;

export const referenceBackend = new ReferenceBackend(decodeStored);

/** Declares the whole suite for one way of making a backend. */
export function describeConformance(name: string, makeBackend: MakeBackend): void {
  describe(`${name} backend`, { timeout: 300_000 }, () => {
    const held = holdBackend(makeBackend);

    test("takes storage types that this suite can draw", () => {
      const taken = [...held.backend.matrixStorage];
      if (held.backend.name === "reference") expect(taken).toEqual(expect.arrayContaining([...knownStorage]));
      else expect(knownStorage).toEqual(expect.arrayContaining(taken));
    });

    for (const operation of operations.keys()) {
      describe(operation, () => {
        test("follows its definition, the same bits however it is asked", async () => {
          const cases = allCases.find((each) => each.operation === operation)?.cases ?? [];
          expect(cases.length, `${operation} has no case`).toBeGreaterThan(0);
          for (const each of cases) if (takes(held.backend, each)) await checkCase(held.backend, each);
        });

        test("follows its definition at random shapes", async () => {
          const drawn = randomCases(knownStorage.filter((type) => held.backend.matrixStorage.has(type)))[operation];
          if (drawn === undefined) throw new InternalError(`${operation} has no random cases`);
          await fc.assert(
            fc.asyncProperty(drawn, async (each) => {
              if (takes(held.backend, each)) await checkCase(held.backend, each);
            }),
            { numRuns: held.backend.name === "reference" ? 5 : randomRuns },
          );
        });
      });
    }
  });
}

/** Declares that two backends give the same bits for every case. */
export function describeSameBits(name: string, makeFirst: MakeBackend, makeSecond: MakeBackend): void {
  describe(`${name}: the same bits`, { timeout: 300_000 }, () => {
    const [first, second] = [holdBackend(makeFirst), holdBackend(makeSecond)];

    for (const { operation, cases } of allCases) {
      test(operation, async () => {
        for (const each of cases) {
          if (!takes(first.backend, each) || each.ownBits) continue;
          expectSameBits(await measure(first.backend, each), await measure(second.backend, each), each, name);
        }
      });
    }
  });
}

async function checkCase(backend: Backend, each: ConformanceCase): Promise<void> {
  const expected = await definitionOf(each);
  const whole = await measure(backend, each);
  const error = largestError(whole, expected, each);
  expect(error, `${each.operation}, ${each.title}: error`).toBeLessThanOrEqual(each.tolerance);
  expectSameBits(await measure(backend, each), whole, each, "asked again");
  expectSameBits(await measure(backend, each, { inPlace: true }), whole, each, "in place");
  if (each.twin) expectSameBits(await measure(backend, each, { twin: true }), whole, each, "laid out differently");
  const apart = (measured: readonly Measured[]) => measured.filter(({ rowsApart }) => rowsApart);
  if (apart(whole).length === 0) return;
  for (const runs of waysToSplit(each.rows)) {
    expectSameBits(apart(await measure(backend, each, { runs })), apart(whole), each, `in runs of ${runs}`);
  }
}

function expectSameBits(
  actual: readonly Measured[],
  expected: readonly Measured[],
  each: ConformanceCase,
  how: string,
): void {
  for (const [index, { values }] of expected.entries()) {
    const got = actual[index]!.values;
    const at = firstDifferentBits(got, values);
    if (at < 0) continue;
    const place = `${each.operation}, ${each.title}, ${how}: result ${index}, element ${at}`;
    throw new InternalError(`${place} is ${got[at]}, not ${values[at]}`);
  }
}

/** What the definition gives for each case of `allCases`, computed once however many backends are tested. */
const definitions = new WeakMap<ConformanceCase, Promise<readonly Measured[]>>();

function definitionOf(each: ConformanceCase): Promise<readonly Measured[]> {
  const known = definitions.get(each) ?? measure(referenceBackend, each);
  definitions.set(each, known);
  return known;
}

/** Whether a case can be asked of a backend. */
function takes(backend: Backend, each: ConformanceCase): boolean {
  if (each.large && backend.name === "reference") return false;
  return each.storage === undefined || backend.matrixStorage.has(each.storage);
}

function holdBackend(makeBackend: MakeBackend): { readonly backend: Backend } {
  const held: { backend: Backend } = { backend: undefined as never };
  beforeAll(async () => {
    held.backend = await makeBackend();
  });
  afterAll(() => held.backend?.dispose());
  return held;
}
