/** Axes with round ticks, curves without noise, and a file that is valid XML with everything in its place. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linearAxis, logAxis } from "./axis.js";
import { lossPlot, type PlottedRun } from "./loss-plot.js";
import { smoothed, thinned } from "./smooth.js";

const labels = (axis: { ticks: readonly { label: string }[] }) => axis.ticks.map(({ label }) => label);

describe("a linear axis", () => {
  test.each([
    [[0, 1], 5, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"], [0, 1]],
    [[1.43, 4.21], 6, ["1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0", "4.5"], [1, 4.5]],
    [[0, 5000], 5, ["0", "1000", "2000", "3000", "4000", "5000"], [0, 5000]],
    [[0, 12_300_000], 5, ["0", "2M", "4M", "6M", "8M", "10M", "12M", "14M"], [0, 14_000_000]],
    [[2, 2], 2, ["1.8", "2.0", "2.2"], [1.8, 2.2]],
  ])("of %j in about %i ticks", (values, count, expected, domain) => {
    const axis = linearAxis(values, count);
    expect(labels(axis)).toEqual(expected.map((each) => (each.startsWith("0.0") ? "0" : each)));
    expect(axis.domain.map((end) => Number(end.toPrecision(12)))).toEqual(domain);
  });

  test("may end with the values", () => {
    const axis = linearAxis([0, 2090], 4, true);
    expect(axis.domain).toEqual([0, 2090]);
    expect(labels(axis)).toEqual(["0", "500", "1000", "1500", "2000"]);
  });

  test("has a few ticks, all inside, whatever the values", () => {
    const value = fc.double({ min: -1e12, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), fc.integer({ min: 2, max: 12 }), (values, count) => {
        const axis = linearAxis(values, count);
        expect(axis.ticks.length).toBeGreaterThan(1);
        expect(axis.ticks.length).toBeLessThan(3 * count + 3);
        for (const each of values) {
          expect(axis.place(each)).toBeGreaterThanOrEqual(-1e-6);
          expect(axis.place(each)).toBeLessThanOrEqual(1 + 1e-6);
        }
      }),
    );
  });
});

describe("a logarithmic axis", () => {
  test.each([
    [[1, 10_000], 5, ["1", "10", "100", "1000", "10k"]],
    [[0.1, 9], 5, ["0.1", "0.2", "0.5", "1", "2", "5"]],
    [[1.4, 4.3], 5, ["1.5", "2", "2.5", "3", "3.5", "4"]],
  ])("of %j", (values, count, expected) => expect(labels(logAxis(values, count))).toEqual(expected));

  test("equal factors lie equally far apart", () => {
    const axis = logAxis([1, 100], 3);
    expect([1, 10, 100].map((value) => axis.place(value))).toEqual([0, 0.5, 1]);
  });
});

describe("curves", () => {
  test("the running mean of a constant is that constant from the first point on", () => {
    const points = Array.from({ length: 9 }, (_, x) => ({ x, y: 3 }));
    for (const { y } of smoothed(points, 0.9)) expect(y).toBeCloseTo(3, 12);
  });

  test("each older point counts less by the weight", () => {
    const [first, second, third] = smoothed(
      [1, 2, 4].map((y, x) => ({ x, y })),
      0.5,
    );
    expect([first!.y, second!.y, third!.y]).toEqual([1, (2 + 0.5) / 1.5, (4 + 1 + 0.25) / 1.75]);
  });

  test("thinning keeps the lowest and the highest point, in order", () => {
    const points = Array.from({ length: 1000 }, (_, x) => ({ x, y: x === 500 ? 9 : x === 700 ? -9 : Math.sin(x) }));
    const few = thinned(points, 50);
    expect(few.length).toBeLessThanOrEqual(100);
    expect(few).toContainEqual({ x: 500, y: 9 });
    expect(few).toContainEqual({ x: 700, y: -9 });
    expect(few.map(({ x }) => x)).toEqual(few.map(({ x }) => x).sort((a, b) => a - b));
  });
});

const run: PlottedRun = {
  name: "a",
  train: [0, 5, 10].map((x) => ({ x, y: 3 - x / 5 })),
  heldOut: [{ x: 10, y: 2 }],
};

/** Throws where `text` is not well-formed; gives back the names of its elements. */
function elementsOf(text: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  const rest = text.replaceAll(
    /<(\/?)([a-z]+)((?: [a-zA-Z0-9-]+="[^"<]*")*)(\/?)>/g,
    (_, close, name, attributes, empty) => {
      const keys = [...attributes.matchAll(/ ([a-zA-Z0-9-]+)=/g)].map(([, key]) => key);
      if (new Set(keys).size < keys.length) throw new Error(`${name} has an attribute twice`);
      if (close !== "") {
        if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
      } else {
        names.push(name);
        if (empty === "") open.push(name);
      }
      return "";
    },
  );
  if (open.length > 0 || /[<>]/.test(rest)) throw new Error(`not well-formed: ${open} ${rest}`);
  if (/&(?!(amp|lt|gt|quot);)/.test(text)) throw new Error("an & stands alone");
  return names;
}

describe("a plot", () => {
  test("has every point in its place", () => {
    const svg = lossPlot([run], { smoothing: 0, width: 400, height: 300 });
    // The area is 312 × 208 at (64, 40), x from 0 to 10, y from 1 to 3.
    expect(svg).toContain('<path d="M64 40L220 144L376 248"');
    expect(svg).toMatch(/<circle [^>]*cx="376" cy="144"/);
    expect(svg).toMatch(/<text [^>]*x="56" y="44" text-anchor="end">3\.0<\/text>/);
    expect(svg).toMatch(/<text [^>]*x="376" y="267" text-anchor="middle">10<\/text>/);
    expect(svg.match(/<path/g)).toHaveLength(2);
  });

  test("smoothing leaves the measured curve behind the mean", () => {
    const paths = lossPlot([run], { smoothing: 0.5 }).match(/<path[^>]*>/g)!;
    expect(paths.filter((path) => path.includes('stroke-opacity="0.25"'))).toHaveLength(1);
    expect(paths).toHaveLength(3);
  });

  test("names become text, whatever is in them", () => {
    const name = 'a<b>&"c"\u0000]]>';
    const svg = lossPlot([{ ...run, name }, run], { title: name, log: { x: true, y: true } });
    expect(elementsOf(svg)[0]).toBe("svg");
    expect(svg).toContain("a&lt;b&gt;&amp;");
    expect(svg).not.toContain("\u0000");
  });

  test("is valid XML with finite coordinates for whatever was measured", () => {
    const number = fc.oneof(fc.double(), fc.constant(0), fc.nat());
    const points = fc.array(fc.record({ x: number, y: number }), { maxLength: 5 });
    const runs = fc.array(fc.record({ name: fc.string({ unit: "binary" }), train: points, heldOut: points }), {
      maxLength: 3,
    });
    const log = fc.record({ x: fc.boolean(), y: fc.boolean() });
    fc.assert(
      fc.property(runs, log, fc.constantFrom(0, 0.9), (each, axes, smoothing) => {
        const svg = lossPlot(each, { log: axes, smoothing });
        elementsOf(svg);
        expect(svg).not.toMatch(/NaN|Infinity/);
      }),
    );
  });

  test("what it does not know is refused", () => {
    expect(() => lossPlot([run], { smoothing: 1 })).toThrow("smoothing must be from 0 to below 1, got 1");
    expect(() => lossPlot([run], { colour: "red" } as object)).toThrow('unknown option "colour"');
  });
});
