/** Operations that move or turn whole rows. */
import { embedding } from "../../../graph/operations/embedding.js";
import { type RotaryAttributes, rotary } from "../../../graph/operations/rotary.js";
import { selectRows } from "../../../graph/operations/select-rows.js";
import type { ConformanceCase, OperationCases } from "../fixture.js";
import { awkwardRows, awkwardWidths, over } from "../sizes.js";
import { blockOf, type KnownStorage, knownStorage } from "../stored-values.js";

export interface EmbeddingSize {
  readonly rows: number;
  readonly width: number;
  readonly tableRows: number;
  readonly scale?: number;
}

export function embeddingCase(storage: KnownStorage, size: EmbeddingSize): ConformanceCase {
  const { rows, width, tableRows, scale = 1 } = size;
  return {
    operation: "embedding",
    storage,
    title: `${storage}, ${rows} of ${tableRows}×${width}, scale ${scale}`,
    rows,
    tolerance: 2e-7,
    build: (fixture) => {
      const table = fixture.matrix("table", tableRows, width, storage);
      const drawn = Array.from({ length: rows }, () => fixture.random.below(tableRows));
      const ids = drawn.map((id, i) => (i === 0 ? tableRows - 1 : i === 1 ? 0 : id));
      return embedding(table, fixture.integers("ids", [fixture.rows], ids), { scale });
    },
  };
}

export function selectRowsCase(rows: number, from: number, width: number): ConformanceCase {
  return {
    operation: "select-rows",
    title: `${rows} of ${from}×${width}`,
    rows,
    tolerance: 0,
    build: (fixture) => {
      const { graph, random } = fixture;
      const x = graph.input("x", [graph.dimension("tokens", from), width], "f32");
      fixture.inputs.set(
        x,
        Float32Array.from({ length: from * width }, () => random.normal()),
      );
      const picked = Array.from({ length: rows }, () => random.below(from));
      return selectRows(x, fixture.integers("picked", [fixture.rows], picked));
    },
  };
}

export function rotaryCase(rows: number, heads: number, attributes: RotaryAttributes): ConformanceCase {
  const { headDim, rotaryDim, layout, inverse = false } = attributes;
  const contextLength = 40;
  return {
    operation: "rotary",
    title: `${inverse ? "back, " : ""}${layout}, ${turned(rotaryDim, headDim)}, ${heads} heads, ${rows} rows`,
    rows,
    tolerance: 4e-7,
    magnitude: 3, // of the elements turned; a turn may leave much less of them
    build: (fixture) => {
      const angles = Float32Array.from({ length: contextLength * rotaryDim }, (_, i) => {
        const [position, column] = [Math.floor(i / rotaryDim), i % rotaryDim];
        const angle = position * 10000 ** ((-2 * (column % (rotaryDim / 2))) / rotaryDim);
        return column < rotaryDim / 2 ? Math.cos(angle) : Math.sin(angle);
      });
      const table = fixture.graph.constant("angles", [contextLength, rotaryDim], angles);
      const drawn = Array.from({ length: rows }, () => fixture.random.below(contextLength));
      const x = fixture.operand("x", heads * headDim);
      return rotary(x, fixture.integers("positions", [fixture.rows], drawn), table, attributes);
    },
  };
}

function turned(rotaryDim: number, headDim: number): string {
  return rotaryDim === headDim ? `all ${headDim}` : `first ${rotaryDim} of ${headDim}`;
}

const rotaryShapes = [
  [4, 4],
  [6, 6],
  [8, 2],
  [10, 4],
  [10, 10],
  [64, 64],
  [64, 16],
  [80, 32],
] as const;

export const rowCases: readonly OperationCases[] = [
  {
    operation: "embedding",
    cases: knownStorage.flatMap((storage) => {
      const block = blockOf(storage);
      const widths = block === 1 ? [1, 15, 17, 64, 100] : block === 32 ? [32, 64, 288] : [256, 512];
      const width = block > 32 ? block : 96;
      return [
        ...over(awkwardRows, widths, (rows, width) => embeddingCase(storage, { rows, width, tableRows: 33 })),
        embeddingCase(storage, { rows: 5, width, tableRows: 1 }),
        embeddingCase(storage, { rows: 5, width, tableRows: 50, scale: Math.sqrt(width) }),
      ];
    }),
  },
  {
    operation: "select-rows",
    cases: over(awkwardRows, awkwardWidths, (rows, width) => selectRowsCase(rows, 9, width)),
  },
  {
    operation: "rotary",
    cases: (["half", "interleaved"] as const).flatMap((layout) =>
      rotaryShapes.flatMap(([headDim, rotaryDim]) =>
        [false, true].flatMap((inverse) =>
          over([0, 1, 5, 17], [1, 3], (rows, heads) =>
            rotaryCase(rows, heads, { headDim, rotaryDim, layout, inverse }),
          ),
        ),
      ),
    ),
  },
];
