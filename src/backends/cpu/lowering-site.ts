/** What turning one node into instructions needs to know of the plan around it. */
import type { Node, Tensor } from "../../graph/tensor.js";
import type { InstructionWriter, RowCount } from "./instructions.js";

export interface LoweringSite {
  readonly writer: InstructionWriter;
  readonly threads: number;
  /** Address of memory for this node alone, of as many bytes as its `scratchBytes` asks for. */
  readonly scratch: number;
  /** A tensor's address; 0 for an operand that is left out. */
  at(tensor: Tensor | undefined): number;
  /** Where a result goes, and whether it is added to what is there: a state that it would be accumulated in. */
  target(result: Tensor): { readonly address: number; readonly adds: boolean };
  rows(tensor: Tensor): RowCount;
}

/** How the nodes of one operation become instructions. */
export interface NodeLowering<Attributes extends object = never> {
  lower(site: LoweringSite, node: Node, attributes: Attributes): void;
  /** Bytes of memory that an instruction needs for itself. */
  scratchBytes?(node: Node, threads: number): number;
  /** Whether results go where `target` says: then sums into states cost nothing. */
  readonly adds?: boolean;
}
