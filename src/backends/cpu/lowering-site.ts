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
  /** Turns one node into instructions. */
  lower(node: Node): void;
  /** This site with some things in other places. */
  within(parts: SiteParts): LoweringSite;
}

/** What nodes are lowered with that become part of another's instruction. */
export interface SiteParts {
  readonly writer: InstructionWriter;
  readonly scratch: number;
  /** Addresses of tensors that are not where the plan has them. */
  readonly places: ReadonlyMap<Tensor, number>;
}

/** How the nodes of one operation become instructions. */
export interface NodeLowering<Attributes extends object = never> {
  lower(site: LoweringSite, node: Node, attributes: Attributes): void;
  /** Bytes of memory that an instruction needs for itself. */
  scratchBytes?(node: Node, threads: number): number;
  /** Which results go where `target` says: then sums of them into states cost nothing. Default: none. */
  readonly adds?: "all" | "vectors";
}
