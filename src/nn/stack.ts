/** A stack of transformer blocks: from embedded tokens to the states that the output head reads. */
import { add } from "../graph/operations/add.js";
import type { RelativeBias } from "../graph/operations/attention.js";
import { embedding } from "../graph/operations/embedding.js";
import type { Tensor } from "../graph/tensor.js";
import {
  type AttentionContext,
  type CrossKeyValues,
  crossAttention,
  type Layer,
  selfAttention,
} from "./attention-layer.js";
import { feedForward, norm } from "./layers.js";
import { relativeBuckets } from "./positions.js";

export interface StackInputs {
  /** i32 [n] */
  readonly ids: Tensor;
  /** The embedding table, a parameter [vocabSize, hiddenSize]. */
  readonly embedding: Tensor;
  readonly context: Omit<AttentionContext, "relative">;
  /** An encoder's output, where the blocks attend to one. */
  readonly cross?: CrossKeyValues;
}

/**
 * Embeds ids and runs every block and the final norm.
 * Parameters are named `blocks.N.attention.query.weight` and so on, behind the context's prefix.
 *
 * @returns [n, hiddenSize]
 */
export function stack(inputs: StackInputs): Tensor {
  const { graph, stack: config, prefix } = inputs.context;
  const context: AttentionContext = { ...inputs.context, relative: relativeBias(inputs) };
  let x = graph.scope(prefix, () => embed(inputs));
  for (const [index, layer] of config.layers.entries()) {
    const run = () => graph.name("output", block(context, inputs.cross, { index, config: layer }, x));
    x = graph.scope(blockScope(prefix, index), run);
  }
  return config.finalNorm ? graph.name(`${prefix}norm`, norm(graph, `${prefix}norm`, x, config.norm)) : x;
}

/** The scope of the nodes of a block. */
export function blockScope(prefix: string, index: number): string {
  return `${prefix}blocks.${index}.`;
}

function embed({ ids, embedding: table, context }: StackInputs): Tensor {
  const { graph, stack: config, prefix, positions } = context;
  const { hiddenSize, position } = config;
  let x = graph.name("tokenEmbedding", embedding(table, ids, { scale: config.embedding.scale }));
  if (position.kind === "learned" || position.kind === "sinusoidal") {
    const places = graph.parameter(`${prefix}positions.weight`, [context.contextLength, hiddenSize]);
    const added = add(x, graph.name("positionEmbedding", embedding(places, positions)));
    x = graph.name("embedding", added);
  }
  if (config.embedding.norm) x = graph.name("embeddingNorm", norm(graph, `${prefix}embedding.norm`, x, config.norm));
  return context.dropout?.(x) ?? x;
}

function relativeBias({ context }: StackInputs): RelativeBias | undefined {
  const { graph, stack: config, prefix, positions } = context;
  if (config.position.kind !== "relative") return undefined;
  const buckets = relativeBuckets(config.position);
  const shape = [config.position.bucketCount, config.attention.headCount];
  return {
    positions,
    buckets: graph.constant(`${prefix}relativeBuckets`, [buckets.length], buckets),
    bias: graph.parameter(`${prefix}relativeBias.weight`, shape, "plain"),
  };
}

/** One block: attention, attention to the encoder where there is one, feed-forward; each with norms and residual. */
function block(ctx: AttentionContext, cross: CrossKeyValues | undefined, layer: Layer, x: Tensor): Tensor {
  const { graph, stack: config, prefix } = ctx;
  const place = `${prefix}blocks.${layer.index}`;
  const attend = (y: Tensor) => selfAttention(ctx, `${place}.attention`, y, layer);
  const feed = (y: Tensor) => feedForward(graph, `${place}.feedForward`, y, config.feedForward);
  if (config.residual === "parallel") {
    const attended = part(ctx, place, "attention", x, attend);
    return add(add(attended, x), part(ctx, place, "feedForward", x, feed));
  }
  let y = residual(ctx, place, "attention", x, attend);
  if (cross !== undefined) {
    y = residual(ctx, place, "cross", y, (z) => crossAttention(ctx, `${place}.cross`, z, layer, cross));
  }
  return residual(ctx, place, "feedForward", y, feed);
}

/** f with the norm before it, in a sandwich the one after it, and dropout, but without the residual sum. */
function part(ctx: AttentionContext, place: string, name: string, x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  const { graph, stack: config } = ctx;
  return graph.scope(`${name}.`, () => {
    const pre = config.residual !== "post";
    const y = f(pre ? graph.name("norm", norm(graph, `${place}.${name}.norm`, x, config.norm)) : x);
    graph.name("output", y);
    const after = config.residual === "sandwich" ? norm(graph, `${place}.${name}.postNorm`, y, config.norm) : y;
    if (after !== y) graph.name("postNorm", after);
    return ctx.dropout?.(after) ?? after;
  });
}

function residual(ctx: AttentionContext, place: string, name: string, x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  const { graph, stack: config } = ctx;
  const y = add(x, part(ctx, place, name, x, f));
  return graph.scope(`${name}.`, () => {
    graph.name("residual", y);
    if (config.residual !== "post") return y;
    return graph.name("norm", norm(graph, `${place}.${name}.norm`, y, config.norm));
  });
}
