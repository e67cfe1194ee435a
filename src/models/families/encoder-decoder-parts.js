/** A stack with layer norms and biases everywhere, as encoder or as decoder: BART, Marian, the classic transformer. */
export function biasedStack(part, options) {
    const { hiddenSize, headCount, position, residual, embedding, finalNorm } = options;
    const headDim = hiddenSize / headCount;
    return {
        hiddenSize,
        norm: { kind: "layer", eps: options.eps, bias: true },
        residual,
        attention: biasedAttention(headCount, headDim),
        feedForward: {
            kind: "plain",
            activation: options.activation,
            intermediateSize: options.intermediateSize,
            bias: true,
        },
        position,
        layers: Array.from({ length: options.layerCount }, () => ({ scale: headDim ** -0.5, window: 0, rotary: 0 })),
        causal: part === "decoder",
        crossAttention: part === "decoder",
        embedding,
        finalNorm,
    };
}
function biasedAttention(headCount, headDim) {
    const bias = { query: true, key: true, value: true, output: true };
    return { headCount, keyValueHeadCount: headCount, headDim, softCap: 0, bias, queryKeyNorm: false };
}
/** Puts recipes for `ours.weight` and `ours.bias`. */
export function putBoth(recipes, ours, theirs) {
    for (const kind of ["weight", "bias"])
        recipes.set(`${ours}.${kind}`, { tensor: `${theirs}.${kind}` });
}
