/**
 * Pre-tokenization of byte-level vocabularies in GGUF files: `tokenizer.ggml.pre` names it, the program knows it.
 * The names and the patterns are llama.cpp's (`llama-vocab.cpp`), applied one after the other.
 */
import { gpt2Pattern, llama3Pattern, qwen2Pattern } from "../../pattern/scanners.js";
const digitByDigit = { patterns: ["\\p{N}", gpt2Pattern] };
const gpt2 = { patterns: [gpt2Pattern] };
const qwen2 = { patterns: [qwen2Pattern] };
const llama3 = { patterns: [llama3Pattern] };
const llama3Whole = { ...llama3, ignoreMerges: true, addBegin: true };
const cased = (tail, digits) => `[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+${tail}|` +
    `[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*${tail}|` +
    `${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const deepseekLetters = "\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐ" +
    "ῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+";
/** By the value of `tokenizer.ggml.pre`. */
export const ggufPreTokenizers = {
    default: { patterns: ["[\\p{P}\\$\\+<=>\\^~\\|]+", gpt2Pattern, "\\p{N}+", "[0-9][0-9][0-9]"] },
    "gpt-2": gpt2,
    "phi-2": gpt2,
    "modern-bert": gpt2,
    mpt: gpt2,
    olmo: gpt2,
    jais: gpt2,
    exaone4: gpt2,
    "granite-docling": gpt2,
    falcon: { patterns: ["[\\p{P}\\$\\+<=>\\^~\\|`]+", gpt2Pattern, "[0-9][0-9][0-9]"] },
    starcoder: digitByDigit,
    refact: digitByDigit,
    "command-r": digitByDigit,
    smollm: digitByDigit,
    codeshell: digitByDigit,
    exaone: digitByDigit,
    "minerva-7b": digitByDigit,
    llama3: llama3Whole,
    "llama-v3": llama3Whole,
    "llama-bpe": llama3Whole,
    falcon3: llama3Whole,
    "falcon-h1": llama3Whole,
    pixtral: llama3Whole,
    lfm2: llama3Whole,
    dbrx: llama3,
    "smaug-bpe": llama3,
    "chatglm-bpe": llama3,
    glm4: llama3,
    qwen2,
    stablelm2: qwen2,
    megrez: qwen2,
    "deepseek-r1-qwen": qwen2,
    hunyuan: qwen2,
    "deepseek-llm": {
        patterns: ["[\\r\\n]", deepseekLetters, "\\s?[!-/:-~！-／：-～‘-‟　-。]+", "\\s+$", "[一-龥ࠀ-一가-퟿]+", "\\p{N}+"],
    },
    "deepseek-coder": { patterns: ["[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥ࠀ-一가-퟿]+", "\\p{N}"] },
    "deepseek-v3": {
        patterns: [
            "\\p{N}{1,3}",
            "[一-龥぀-ゟ゠-ヿ]+",
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|" +
                " ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        ],
    },
    tekken: { patterns: [cased("", "\\p{N}")], ignoreMerges: true, addBegin: true },
    "gpt-4o": { patterns: [cased("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "\\p{N}{1,3}")] },
    llama4: { patterns: [cased("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "\\p{N}{1,3}")] },
};
