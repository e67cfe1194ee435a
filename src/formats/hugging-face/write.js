import { InvalidValueError } from "../../core/errors.js";
import { writeFile } from "../byte-sink.js";
import { writeShardedSafetensors } from "../safetensors/sharded.js";
import { encodeText } from "../text.js";
import { configJson } from "./config-json.js";
import { tokenizerFileNames } from "./read.js";
/**
 * Writes a folder. The weights come last, so a folder that has them is complete.
 *
 * @param create - starts a file of this name in the target folder.
 * @returns the names of the files written.
 * @throws InvalidValueError for a tokenizer file with another name, and as `writeSafetensors` does.
 */
export async function writeHuggingFace(create, contents, options = {}) {
    const files = new Map([["config.json", json(contents.config)]]);
    if (contents.generationConfig !== undefined)
        files.set("generation_config.json", json(contents.generationConfig));
    for (const [file, bytes] of contents.tokenizerFiles ?? []) {
        if (!tokenizerFileNames.includes(file)) {
            throw new InvalidValueError("tokenizerFiles", `named one of ${tokenizerFileNames.join(", ")}`, file);
        }
        files.set(file, bytes);
    }
    for (const [file, bytes] of files) {
        const sink = await create(file);
        await writeFile(sink, () => sink.write(bytes));
    }
    return [...files.keys(), ...(await writeShardedSafetensors(create, contents.tensors, options))];
}
function json(value) {
    return encodeText(configJson(value));
}
