/**
 * Rotation frequencies from a published configuration, with every kind of scaling beyond the trained context.
 *
 * Su et al., 2021 (arXiv:2104.09864); linear: Chen et al., 2023 (arXiv:2306.15595); dynamic NTK and YaRN: Peng et al.,
 * 2023 (arXiv:2309.00071); LongRoPE: Ding et al., 2024 (arXiv:2402.13753); llama3: as published with Llama 3.1;
 * factors: as GGUF files state any of these.
 * Where published code lets the frequencies depend on the length of the sequence so far (dynamic, longrope), here the
 * context length that the model is loaded for decides, once: otherwise cached keys would no longer match.
 */
import { InvalidValueError, OutOfRangeError } from "../core/errors.js";
/** No honest head turns more elements; checked before a list of frequencies is made. */
const largestRotaryDim = 65_536;
/**
 * Frequencies of one kind of layer.
 * @throws UnsupportedError for an unknown kind of scaling, OutOfRangeError, InvalidValueError for numbers that give none
 */
export function rotaryConfig(setting) {
    if (!(setting.rotaryDim <= largestRotaryDim)) {
        throw new OutOfRangeError("rotated elements of a head", `at most ${largestRotaryDim}`, setting.rotaryDim);
    }
    const kind = setting.scaling?.has("rope_type") ? "rope_type" : "type";
    const scale = setting.scaling?.choice(kind, scalings, "default") ?? plain;
    const { frequencies, attentionFactor } = scale(setting, setting.scaling);
    if (!frequencies.every(Number.isFinite)) {
        throw new InvalidValueError("rotary frequencies, from rope_theta and its scaling,", "finite numbers", frequencies);
    }
    return { frequencies: Float32Array.from(frequencies), attentionFactor };
}
const scalings = {
    default: plain,
    linear,
    dynamic,
    llama3,
    yarn,
    longrope,
    su: longrope,
    factors,
};
function baseFrequencies(theta, rotaryDim) {
    return Array.from({ length: rotaryDim / 2 }, (_, i) => Math.fround(1 / Math.fround(theta ** ((2 * i) / rotaryDim))));
}
function plain({ theta, rotaryDim }) {
    return { frequencies: baseFrequencies(theta, rotaryDim), attentionFactor: 1 };
}
function linear({ theta, rotaryDim }, scaling) {
    const factor = scaling.number("factor");
    return { frequencies: baseFrequencies(theta, rotaryDim).map((each) => each / factor), attentionFactor: 1 };
}
function dynamic(setting, scaling) {
    const { theta, rotaryDim, contextLength } = setting;
    const trained = scaling.number("original_max_position_embeddings", setting.trainedLength);
    const factor = scaling.number("factor");
    const length = Math.max(contextLength, trained);
    const stretched = theta * ((factor * length) / trained - (factor - 1)) ** (rotaryDim / (rotaryDim - 2));
    return { frequencies: baseFrequencies(stretched, rotaryDim), attentionFactor: 1 };
}
function llama3({ theta, rotaryDim }, scaling) {
    const factor = scaling.number("factor");
    const [low, high] = [scaling.number("low_freq_factor"), scaling.number("high_freq_factor")];
    const original = scaling.number("original_max_position_embeddings");
    const frequencies = baseFrequencies(theta, rotaryDim).map((frequency) => {
        const wavelength = (2 * Math.PI) / frequency;
        if (wavelength > original / low)
            return frequency / factor;
        if (wavelength < original / high)
            return frequency;
        const smooth = (original / wavelength - low) / (high - low);
        return ((1 - smooth) * frequency) / factor + smooth * frequency;
    });
    return { frequencies, attentionFactor: 1 };
}
function yarn(setting, scaling) {
    const { theta, rotaryDim } = setting;
    const original = scaling.number("original_max_position_embeddings", setting.trainedLength);
    const factor = scaling.number("factor", setting.trainedLength / original);
    const bound = (turns) => (rotaryDim * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
    const whole = scaling.flag("truncate", true);
    const [fast, slow] = [bound(scaling.number("beta_fast", 32)), bound(scaling.number("beta_slow", 1))];
    const low = Math.max(whole ? Math.floor(fast) : fast, 0);
    const high = Math.min(whole ? Math.ceil(slow) : slow, rotaryDim - 1);
    const frequencies = baseFrequencies(theta, rotaryDim).map((frequency, i) => {
        const interpolated = Math.min(1, Math.max(0, (i - low) / (high === low ? 0.001 : high - low)));
        return (frequency / factor) * interpolated + frequency * (1 - interpolated);
    });
    return { frequencies, attentionFactor: yarnAttentionFactor(factor, scaling) };
}
function yarnAttentionFactor(factor, scaling) {
    if (scaling.has("attention_factor"))
        return scaling.number("attention_factor");
    const magnitude = (weight) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
    const [all, some] = [scaling.number("mscale_all_dim", 0), scaling.number("mscale", 0)];
    return all !== 0 && some !== 0 ? magnitude(some) / magnitude(all) : magnitude(1);
}
function longrope(setting, scaling) {
    const { theta, rotaryDim, contextLength, trainedLength } = setting;
    const original = scaling.number("original_max_position_embeddings", setting.originalLength ?? trainedLength);
    const factor = setting.originalLength === undefined && scaling.has("factor") ? scaling.number("factor") : trainedLength / original;
    const key = contextLength > original ? "long_factor" : "short_factor";
    const divisors = scaling.numbers(key);
    scaling.require(divisors?.length === rotaryDim / 2, key, `must be a list of ${rotaryDim / 2} numbers`);
    const frequencies = Array.from({ length: rotaryDim / 2 }, (_, i) => Math.fround(1 / Math.fround(Math.fround(divisors[i]) * Math.fround(theta ** ((2 * i) / rotaryDim)))));
    const automatic = longropeAttentionFactor(factor, original);
    return { frequencies, attentionFactor: scaling.number("attention_factor", automatic) };
}
/** LongRoPE's factor on cosines and sines where the configuration states none. */
export function longropeAttentionFactor(factor, original) {
    return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
}
/** A divisor for each frequency, as GGUF stores whatever scaling a model has. */
function factors({ theta, rotaryDim }, scaling) {
    const divisors = scaling.numbers("factors");
    scaling.require(divisors?.length === rotaryDim / 2, "factors", `must be a list of ${rotaryDim / 2} numbers`);
    const frequencies = baseFrequencies(theta, rotaryDim).map((frequency, i) => frequency / divisors[i]);
    return { frequencies, attentionFactor: 1 };
}
