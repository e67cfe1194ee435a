/** How a chain of operations on rows becomes an instruction: `kernels/row_chain.c` has its arguments. */
import { assert } from "../../core/errors.js";
import { capacityOf, type Node, rowWidth, type Tensor } from "../../graph/tensor.js";
import { InstructionWriter, type OperationId, operationIds, type RowCount } from "./instructions.js";
import type { LoweringSite, NodeLowering } from "./lowering-site.js";
import type { RowChainAttributes } from "./row-chains.js";

/** Rows of a chunk, whose sums are taken on their own: HH_CHUNK_ROWS of `kernels/shares.h`. */
const chunkRows = 32;
/** What the rows that are worked on at a time may take, about: part of a core's second cache. */
const cacheBytes = 1 << 18;
/** HH_CHAIN_ARGUMENTS. */
const mostArguments = 16;
/** Stands for the start of a thread's memory in arguments: larger than any address. */
const threadMemory = 2 ** 52;

interface Captured {
  readonly operation: OperationId;
  readonly rows: RowCount;
  readonly rowCost: number;
  readonly args: readonly number[];
}

/** Keeps instructions as they were asked for, to be written as parts of another. */
class CapturingWriter extends InstructionWriter {
  readonly captured: Captured[] = [];

  override write(operation: OperationId, rows: RowCount, rowCost: number, args: readonly number[]): void {
    this.captured.push({ operation, rows, rowCost, args });
  }
}

/** @param loweringOf - how the members become instructions, where it is not as in a plan without training */
export function rowChainLowering(
  loweringOf: (operation: string) => NodeLowering | undefined,
): NodeLowering<RowChainAttributes> {
  const scratchOf = (member: Node, threads: number) =>
    align(loweringOf(member.operation)?.scratchBytes?.(member, threads) ?? 0);
  return {
    adds: "vectors",
    scratchBytes(node, threads) {
      const { members } = node.attributes as RowChainAttributes;
      const layout = innerLayout(node.attributes as RowChainAttributes);
      return members.reduce((sum, member) => sum + scratchOf(member, threads), threads * layout.bytes);
    },
    lower(site, node, attributes) {
      const { rows, bytes, places } = innerLayout(attributes);
      const writer = new CapturingWriter();
      let scratch = site.scratch + site.threads * bytes;
      for (const member of attributes.members) {
        site.within({ writer, scratch, places }).lower(member);
        scratch += scratchOf(member, site.threads);
      }
      writeChain(site, node, { rows, bytes, strides: stridesOf(places) }, writer.captured);
    },
  };
}

interface InnerLayout {
  /** Rows that are worked on at a time. */
  readonly rows: number;
  /** Memory of each thread. */
  readonly bytes: number;
  /** Where the rows of inner results lie in it, from `threadMemory` on. */
  readonly places: ReadonlyMap<Tensor, number>;
}

function innerLayout({ members, inner }: RowChainAttributes): InnerLayout {
  const moving = new Set(members.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]));
  const rowBytes = [...moving].reduce((sum, tensor) => sum + (tensor.shape.length > 1 ? rowWidth(tensor) * 4 : 0), 0);
  const fitting = 2 ** Math.floor(Math.log2(cacheBytes / rowBytes));
  const rows = Math.min(chunkRows, Math.max(4, fitting));
  const places = new Map<Tensor, number>();
  let bytes = 0;
  for (const tensor of inner) {
    places.set(tensor, threadMemory + bytes);
    bytes += align(Math.min(rows, capacityOf(tensor.shape[0]!)) * rowWidth(tensor) * 4);
  }
  return { rows, bytes, places };
}

/** Bytes of a row of what lies at each place. */
function stridesOf(places: ReadonlyMap<Tensor, number>): Map<number, number> {
  return new Map([...places].map(([tensor, place]) => [place, rowWidth(tensor) * 4]));
}

function writeChain(
  site: LoweringSite,
  node: Node,
  { rows, bytes, strides }: { rows: number; bytes: number; strides: ReadonlyMap<number, number> },
  captured: readonly Captured[],
): void {
  const links = captured.filter(({ operation }) => operation !== "sum_chunks");
  const args = [site.scratch, bytes, rows, links.length];
  for (const link of links) {
    assert(link.args.length <= mostArguments, `${link.operation} has too many arguments for a chain`);
    const inner = link.args.flatMap((value, index) => (strides.has(value) ? [[index, value] as const] : []));
    args.push(operationIds.indexOf(link.operation), link.args.length, inner.length);
    for (const [index, place] of inner) args.push(index, place - threadMemory, strides.get(place)!);
    args.push(...link.args.map((value) => (strides.has(value) ? 0 : value)));
  }
  const cost = links.reduce((sum, link) => sum + link.rowCost, 0);
  site.writer.write("row_chain", site.rows(node.inputs[0]!), cost, args);
  // Sums of chunks are added once all chunks are there.
  for (const { operation, rows, rowCost, args } of captured) {
    if (operation === "sum_chunks") site.writer.write(operation, rows, rowCost, args);
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
