/** Every family that can be loaded. */
import { UnsupportedError } from "../../core/errors.js";
import { bart, marian } from "./bart.js";
import { classic } from "./classic.js";
import { gemma2, gemma3 } from "./gemma.js";
import { gptNeoX } from "./gpt-neox.js";
import { gpt2 } from "./gpt2.js";
import { llama, mistral } from "./llama.js";
import { phi3 } from "./phi3.js";
import { qwen2, qwen3 } from "./qwen.js";
import { t5 } from "./t5.js";
export const families = [
    gpt2,
    llama,
    mistral,
    qwen2,
    qwen3,
    gemma2,
    gemma3,
    phi3,
    gptNeoX,
    t5,
    bart,
    marian,
    classic,
];
/** `model_type` values that differ from the family's name. */
const modelTypes = { gemma3_text: "gemma3", mt5: "t5" };
/**
 * The family of a configuration, by `architectures` or else `model_type`.
 * @throws UnsupportedError naming the architecture.
 */
export function familyOf(config) {
    const architectures = config.texts("architectures") ?? [];
    for (const architecture of architectures) {
        const family = families.find((each) => each.architectures.includes(architecture));
        if (family !== undefined)
            return family;
    }
    const type = config.has("model_type") ? config.text("model_type") : "";
    const family = families.find((each) => each.name === (modelTypes[type] ?? type));
    if (family !== undefined && architectures.length === 0)
        return family;
    const named = architectures[0] ?? (type === "" ? "(none named)" : type);
    throw new UnsupportedError("architecture", named, families.flatMap((each) => each.architectures));
}
