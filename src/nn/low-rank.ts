/**
 * Pairs of small matrices beside linear maps: y = W·x + scale · up·(down·x), where W stays as it is and the pair is
 * learned. Hu et al., 2021 (arXiv:2106.09685).
 */
import type { Graph } from "../graph/graph.js";
import { add } from "../graph/operations/add.js";
import { linear } from "../graph/operations/linear.js";
import { scale } from "../graph/operations/scale.js";
import { capacityOf, rowWidth, type Tensor } from "../graph/tensor.js";

/** Names of a pair's parameters: `down` [rank, in], `up` [out, rank]. Maps that are published as one share `down`. */
export interface LowRankPair {
  readonly down: string;
  readonly up: string;
}

export interface LowRankConfig {
  readonly rank: number;
  /** Factor on the pair's product: alpha / rank. */
  readonly scale: number;
  /** Share of the pair's inputs that is set to 0 in training. */
  readonly dropout: number;
  /** By the place of the linear map, such as `blocks.0.attention.query`. */
  readonly pairs: ReadonlyMap<string, LowRankPair>;
}

/** What `projection` adds to the result y of the map at a place. */
export type BesideMap = (place: string, x: Tensor, y: Tensor) => Tensor;

/** @param drop - of the pair's inputs; absent where nothing is dropped */
export function besideMaps(graph: Graph, config: LowRankConfig, drop?: (x: Tensor) => Tensor): BesideMap {
  return (place, x, y) => {
    const pair = config.pairs.get(place);
    if (pair === undefined) return y;
    const down = graph.parameter(pair.down, [config.rank, rowWidth(x)]);
    const up = graph.parameter(pair.up, [capacityOf(y.shape[1]!), config.rank]);
    return add(y, scale(linear(linear(drop?.(x) ?? x, down), up), config.scale));
  };
}
