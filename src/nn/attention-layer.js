import { attention } from "../graph/operations/attention.js";
import { attentionWeights } from "../graph/operations/attention-weights.js";
import { cacheWrite } from "../graph/operations/cache-write.js";
import { rmsNorm } from "../graph/operations/rms-norm.js";
import { rotary } from "../graph/operations/rotary.js";
import { projection } from "./layers.js";
import { rotaryTable } from "./positions.js";
/** Positions in one block of the KV cache. */
export const cacheBlockSize = 16;
/** Elements in one block of a layer's keys or values. */
export function cacheBlockElements(config) {
    return config.keyValueHeadCount * config.headDim * cacheBlockSize;
}
/**
 * Self-attention of one block, without its norm and residual: writes this run's keys and values, then attends.
 * @param x - [n, hiddenSize]
 * @returns [n, hiddenSize]
 */
export function selfAttention(ctx, place, x, layer, cache) {
    const { graph, stack } = ctx;
    const { headCount, keyValueHeadCount, headDim, bias, queryKeyNorm } = stack.attention;
    const head = (name, heads) => {
        const projected = projection(graph, `${place}.${name}`, x, heads * headDim, bias[name]);
        if (!queryKeyNorm || name === "value")
            return projected;
        const weight = graph.parameter(`${place}.${name}Norm.weight`, [headDim]);
        return rmsNorm(projected, weight, { eps: stack.norm.eps, groups: heads });
    };
    const query = graph.name("query", rotate(ctx, head("query", headCount), layer));
    const key = graph.name("key", rotate(ctx, head("key", keyValueHeadCount), layer));
    const value = graph.name("value", head("value", keyValueHeadCount));
    const written = writeCache(graph, stack.attention, cache, key, value, ctx.places.slots);
    return attend(ctx, place, query, written, layer, ctx.places, ctx.relative);
}
/**
 * Attention to an encoder's output, whose keys and values already lie in `cache`.
 * @param x - [n, hiddenSize]
 */
export function crossAttention(ctx, place, x, layer, cache, places) {
    const { headCount, headDim, bias } = ctx.stack.attention;
    const query = ctx.graph.name("query", projection(ctx.graph, `${place}.query`, x, headCount * headDim, bias.query));
    return attend(ctx, place, query, cache, { ...layer, window: 0 }, places, undefined);
}
/** Writes keys and values [n, keyValueHeadCount · headDim] into their slots. */
export function writeCache(graph, config, cache, key, value, slots, place = "") {
    const { keyValueHeadCount, headDim } = config;
    const attributes = { keyValueHeadCount, headDim, blockSize: cacheBlockSize };
    const keys = cacheWrite(cache.keys, key, slots, { ...attributes, role: "key" });
    const values = cacheWrite(cache.values, value, slots, { ...attributes, role: "value" });
    graph.name(`${place}keys`, keys);
    graph.name(`${place}values`, values);
    return { keys, values };
}
function rotate(ctx, x, layer) {
    const { position, attention } = ctx.stack;
    if (position.kind !== "rotary")
        return x;
    const name = `${ctx.prefix}rotary.${layer.rotary}`;
    const table = rotaryTable(ctx.graph, name, position.tables[layer.rotary], ctx.contextLength);
    const { layout, rotaryDim } = position;
    return rotary(x, ctx.positions, table, { headDim: attention.headDim, rotaryDim, layout });
}
function attend(ctx, place, query, cache, layer, places, relative) {
    const { graph, stack } = ctx;
    const { headCount, keyValueHeadCount, headDim, softCap, bias } = stack.attention;
    const { blockTables, sequences, visible } = places;
    const inputs = { query, ...cache, blockTables, sequences, visible, relative };
    const attributes = {
        headCount,
        keyValueHeadCount,
        headDim,
        blockSize: cacheBlockSize,
        scale: layer.scale,
        softCap,
        window: layer.window,
    };
    if (ctx.weightsWidth > 0) {
        const look = { ...attributes, keyCapacity: ctx.weightsWidth };
        graph.name("scores", attentionWeights(inputs, { ...look, stage: "scores" }));
        graph.name("probabilities", attentionWeights(inputs, { ...look, stage: "probabilities" }));
    }
    const mixed = graph.name("mixed", attention(inputs, attributes));
    return projection(graph, `${place}.output`, mixed, stack.hiddenSize, bias.output);
}
