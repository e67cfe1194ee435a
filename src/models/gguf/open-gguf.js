import { FormatError, MissingTensorError, UnsupportedError } from "../../core/errors.js";
import { readTensorFloats } from "../../formats/index.js";
import { readGgufTokenizer } from "../../tokenizers/index.js";
import { ConfigReader } from "../config-reader.js";
import { withName } from "../lazy-tensors.js";
import { MetadataFields, shortestDecimal } from "./metadata-fields.js";
import { ggufArchitectures, toHuggingFaceName } from "./names.js";
import { configFromGguf } from "./read-config.js";
/** Where `hitherto convert` keeps the configuration of a model that GGUF's own keys cannot describe. */
export const publishedConfigKey = "hitherto.config";
/** How llama.cpp lays tensors out. */
export function ggufDialect(architecture) {
    return { interleavedRotary: architecture === "llama", normsLessOne: false, transposed: false, fusedByHead: false };
}
/**
 * @param file - owned by the result from now on
 * @throws UnsupportedError for an unknown architecture or a mixture of experts, FormatError, MissingTensorError
 */
export async function openGguf(path, file) {
    const architecture = architectureOf(file);
    const fields = new MetadataFields(file.metadata, architecture, path);
    if (fields.has("expert_count") && fields.number("expert_count") > 0) {
        throw new UnsupportedError(`${path}: expert_count`, String(fields.number("expert_count")), ["0"]);
    }
    if (fields.size("block_count") > file.tensors.size) {
        throw fields.error("block_count", `is more than the file's ${file.tensors.size} tensors`);
    }
    const described = configFromGguf(architecture, fields, await factsOf(path, file));
    const values = publishedConfig(path, file) ?? described;
    return {
        path,
        format: "gguf",
        config: new ConfigReader(values, path),
        dialect: ggufDialect(architecture),
        tensors: renamed(architecture, file),
        tokenizer: readTokenizer(file),
        gguf: file,
        close: () => file.close(),
    };
}
/** @throws UnsupportedError naming an architecture that is not supported */
export function architectureOf({ metadata }) {
    const name = metadata.string("general.architecture");
    const known = ggufArchitectures.find((architecture) => architecture === name);
    if (known === undefined)
        throw new UnsupportedError("GGUF architecture", name, ggufArchitectures);
    return known;
}
async function factsOf(path, { tensors }) {
    const embedding = tensors.get("token_embd.weight");
    if (embedding === undefined)
        throw new MissingTensorError("token_embd.weight", path);
    const divisors = async (name) => {
        const tensor = tensors.get(`${name}.weight`);
        return tensor === undefined ? undefined : readDivisors(path, tensor);
    };
    return {
        vocabSize: embedding.shape[0] ?? 0,
        has: (tensor) => tensors.has(tensor),
        frequencyDivisors: await divisors("rope_freqs"),
        longDivisors: await divisors("rope_factors_long"),
        shortDivisors: await divisors("rope_factors_short"),
    };
}
/** Half a head's elements at most; far fewer than this. */
const mostDivisors = 65_536;
async function readDivisors(path, tensor) {
    const fail = (problem) => new FormatError("GGUF", `tensor ${tensor.name}`, problem, path);
    const [length] = tensor.shape;
    if (tensor.shape.length !== 1 || length > mostDivisors)
        throw fail(`has the shape [${tensor.shape}]`);
    const values = Array.from(await readTensorFloats(tensor), shortestDecimal);
    if (!values.every((value) => value > 0 && Number.isFinite(value)))
        throw fail("must be positive numbers");
    return values;
}
function publishedConfig(path, { metadata }) {
    if (!metadata.has(publishedConfigKey))
        return undefined;
    try {
        const value = JSON.parse(metadata.string(publishedConfigKey));
        if (typeof value === "object" && value !== null && !Array.isArray(value))
            return value;
    }
    catch (error) {
        throw new FormatError("GGUF", `metadata ${publishedConfigKey}`, error.message, path);
    }
    throw new FormatError("GGUF", `metadata ${publishedConfigKey}`, "must be a JSON object", path);
}
function renamed(architecture, file) {
    const tensors = new Map();
    for (const tensor of file.tensors.values()) {
        const name = toHuggingFaceName(architecture, tensor.name);
        if (name !== undefined)
            tensors.set(name, withName(tensor, name));
    }
    return tensors;
}
/** The vocabulary in the file; undefined when it has none. */
function readTokenizer({ metadata }) {
    const kind = metadata.string("tokenizer.ggml.model", "none");
    if (kind === "none" || kind === "no_vocab")
        return undefined;
    const tokenizer = readGgufTokenizer(metadata.entries);
    const text = (id) => (id === undefined ? undefined : tokenizer.tokenText(id));
    return {
        tokenizer,
        source: "GGUF metadata",
        chatTemplate: metadata.has("tokenizer.chat_template") ? metadata.string("tokenizer.chat_template") : undefined,
        bosToken: text(tokenizer.beginId),
        eosToken: text(tokenizer.endIds[0]),
    };
}
