/** A stack of transformer blocks: from embedded tokens to the states that the output head reads. */
import { add } from "../graph/operations/add.js";
import { embedding } from "../graph/operations/embedding.js";
import { crossAttention, selfAttention, } from "./attention-layer.js";
import { feedForward, norm } from "./layers.js";
import { relativeBuckets } from "./positions.js";
/**
 * Embeds ids and runs every block and the final norm.
 * Parameters are named `blocks.N.attention.query.weight` and so on, behind the context's prefix.
 *
 * @returns [n, hiddenSize]
 */
export function stack(inputs) {
    const { graph, stack: config, prefix } = inputs.context;
    const context = { ...inputs.context, relative: relativeBias(inputs) };
    let x = graph.scope(prefix, () => embed(inputs));
    for (const [index, layer] of config.layers.entries()) {
        x = graph.scope(`${prefix}blocks.${index}.`, () => graph.name("output", block(context, inputs, index, layer, x)));
    }
    return config.finalNorm ? graph.name(`${prefix}norm`, norm(graph, `${prefix}norm`, x, config.norm)) : x;
}
function embed({ ids, embedding: table, context }) {
    const { graph, stack: config, prefix, positions } = context;
    const { hiddenSize, position } = config;
    let x = graph.name("tokenEmbedding", embedding(table, ids, { scale: config.embedding.scale }));
    if (position.kind === "learned" || position.kind === "sinusoidal") {
        const places = graph.parameter(`${prefix}positions.weight`, [context.contextLength, hiddenSize]);
        const added = add(x, graph.name("positionEmbedding", embedding(places, positions)));
        x = graph.name("embedding", added);
    }
    if (config.embedding.norm)
        x = graph.name("embeddingNorm", norm(graph, `${prefix}embedding.norm`, x, config.norm));
    return x;
}
function relativeBias({ context }) {
    const { graph, stack: config, prefix, positions } = context;
    if (config.position.kind !== "relative")
        return undefined;
    const buckets = relativeBuckets(config.position);
    const shape = [config.position.bucketCount, config.attention.headCount];
    return {
        positions,
        buckets: graph.constant(`${prefix}relativeBuckets`, [buckets.length], buckets),
        bias: graph.parameter(`${prefix}relativeBias.weight`, shape, "plain"),
    };
}
/** One block: attention, attention to the encoder where there is one, feed-forward; each with norms and residual. */
function block(ctx, inputs, index, layer, x) {
    const { graph, stack: config, prefix } = ctx;
    const place = `${prefix}blocks.${index}`;
    const attend = (y) => selfAttention(ctx, `${place}.attention`, y, layer, inputs.cache[index]);
    const feed = (y) => feedForward(graph, `${place}.feedForward`, y, config.feedForward);
    if (config.residual === "parallel") {
        const attended = part(ctx, place, "attention", x, attend);
        return add(add(attended, x), part(ctx, place, "feedForward", x, feed));
    }
    let y = residual(ctx, place, "attention", x, attend);
    if (inputs.cross !== undefined) {
        const { cache, places } = inputs.cross;
        const cross = (z) => crossAttention(ctx, `${place}.cross`, z, layer, cache[index], places);
        y = residual(ctx, place, "cross", y, cross);
    }
    return residual(ctx, place, "feedForward", y, feed);
}
/** f with the norm before it (and, in a sandwich, the one after it), but without the residual sum. */
function part(ctx, place, name, x, f) {
    const { graph, stack: config } = ctx;
    return graph.scope(`${name}.`, () => {
        const pre = config.residual !== "post";
        const y = f(pre ? graph.name("norm", norm(graph, `${place}.${name}.norm`, x, config.norm)) : x);
        graph.name("output", y);
        if (config.residual !== "sandwich")
            return y;
        return graph.name("postNorm", norm(graph, `${place}.${name}.postNorm`, y, config.norm));
    });
}
function residual(ctx, place, name, x, f) {
    const { graph, stack: config } = ctx;
    const y = add(x, part(ctx, place, name, x, f));
    return graph.scope(`${name}.`, () => {
        graph.name("residual", y);
        if (config.residual !== "post")
            return y;
        return graph.name("norm", norm(graph, `${place}.${name}.norm`, y, config.norm));
    });
}
