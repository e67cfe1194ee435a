import { rowsFrom } from "../weights.js";
import { defaultRotary, headDimOf, llamaLike, llamaRecipes, turnedElements, windowByLayer } from "./llama-like.js";
function rotaryDim(input) {
    const { config } = input;
    const parameters = config.group("rope_parameters");
    const factor = parameters?.has("partial_rotary_factor")
        ? parameters.number("partial_rotary_factor")
        : config.number("partial_rotary_factor", 1);
    return turnedElements(input, headDimOf(input), factor, "partial_rotary_factor");
}
export const phi3 = {
    name: "phi3",
    architectures: ["Phi3ForCausalLM"],
    configure(input) {
        const turned = rotaryDim(input);
        const window = windowByLayer(input, () => true);
        return llamaLike("phi3", input, { rotaryDim: turned, rotaries: [defaultRotary(input, turned)], window });
    },
    recipes(config) {
        const recipes = llamaRecipes(config);
        const { headCount, keyValueHeadCount, headDim } = config.decoder.attention;
        for (const index of config.decoder.layers.keys()) {
            const [place, theirs] = [`blocks.${index}`, `model.layers.${index}`];
            const [fused, gateUp] = [`${theirs}.self_attn.qkv_proj.weight`, `${theirs}.mlp.gate_up_proj.weight`];
            recipes.set(`${place}.attention.query.weight`, rowsFrom(fused, 0));
            recipes.set(`${place}.attention.key.weight`, rowsFrom(fused, headCount * headDim));
            recipes.set(`${place}.attention.value.weight`, rowsFrom(fused, (headCount + keyValueHeadCount) * headDim));
            recipes.set(`${place}.feedForward.gate.weight`, rowsFrom(gateUp, 0));
            recipes.set(`${place}.feedForward.up.weight`, rowsFrom(gateUp, config.decoder.feedForward.intermediateSize));
        }
        return recipes;
    },
};
