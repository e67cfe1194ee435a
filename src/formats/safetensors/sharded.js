import { FileNotFoundError, FormatError, MissingTensorError } from "../../core/errors.js";
import { writeFile } from "../byte-sink.js";
import { readWholeText } from "../folder.js";
import { JsonCursor } from "../json-cursor.js";
import { encodeText } from "../text.js";
import { readSafetensors } from "./read.js";
import { writeSafetensors } from "./write.js";
const longestIndex = 32 * 2 ** 20;
const mostShards = 4096;
const mostTensors = 524_288;
/**
 * Opens every file that an index names.
 *
 * @param index - its name in the folder, such as `model.safetensors.index.json`.
 * @throws FileNotFoundError when a shard is absent, MissingTensorError when a shard lacks a tensor that the index
 *   places in it, and as `readSafetensors` does.
 */
export async function readShardedSafetensors(folder, index) {
    const path = `${folder.name}/${index}`;
    const places = parseIndex(await readWholeText(folder, index, longestIndex), path);
    const shards = new Map();
    const close = async () => {
        for (const shard of shards.values())
            await shard.close();
    };
    try {
        for (const file of new Set(places.values()))
            shards.set(file, await openShard(folder, file, index));
        return { tensors: gather(places, shards, folder), close, [Symbol.asyncDispose]: close };
    }
    catch (error) {
        await close();
        throw error;
    }
}
async function openShard(folder, file, index) {
    if (!folder.files.includes(file))
        throw new FileNotFoundError(`${folder.name}/${file}`, `the shard named in ${index}`);
    const source = await folder.open(file);
    try {
        return await readSafetensors(source);
    }
    catch (error) {
        await source.close();
        throw error;
    }
}
function gather(places, shards, folder) {
    const tensors = new Map();
    for (const [name, file] of places) {
        const tensor = shards.get(file)?.tensors.get(name);
        if (tensor === undefined)
            throw new MissingTensorError(name, `${folder.name}/${file}`);
        tensors.set(name, tensor);
    }
    return tensors;
}
/** Tensor name → file name. A file name that could lead out of the folder is refused. */
function parseIndex(json, path) {
    const places = new Map();
    const files = new Set();
    let found = false;
    const cursor = new JsonCursor(json, "safetensors index", "index", path);
    cursor.object("index", (key) => {
        if (key !== "weight_map")
            return cursor.skipValue(key.slice(0, 80));
        found = true;
        const place = (name) => {
            const file = cursor.string(`weight_map ${JSON.stringify(name.slice(0, 80))}`);
            if (!/^[\w.-]{1,255}$/.test(file) || file.startsWith(".")) {
                cursor.fail("weight_map", `${JSON.stringify(file.slice(0, 80))} is no plain file name`);
            }
            if (files.add(file).size > mostShards)
                cursor.fail("weight_map", `more than ${mostShards} files`);
            places.set(name, file);
        };
        cursor.object("weight_map", place, mostTensors);
    });
    cursor.end();
    if (!found)
        throw new FormatError("safetensors index", "weight_map", "missing", path);
    return places;
}
/**
 * Writes `model.safetensors`, or shards `model-00001-of-0000N.safetensors` with their index when the data are
 * larger than one file may be.
 *
 * @param create - starts a file of this name in the target folder.
 * @returns the names of the files written.
 * @throws as `writeSafetensors` does.
 */
export async function writeShardedSafetensors(create, tensors, options = {}) {
    const { maxShardBytes = 5e9, metadata = { format: "pt" } } = options;
    const shards = planShards(tensors, maxShardBytes);
    if (shards.length === 1) {
        await writeSafetensors(await create("model.safetensors"), shards[0], metadata);
        return ["model.safetensors"];
    }
    const files = shards.map((_, i) => `model-${fiveDigits(i + 1)}-of-${fiveDigits(shards.length)}.safetensors`);
    for (const [i, shard] of shards.entries())
        await writeSafetensors(await create(files[i]), shard, metadata);
    const index = "model.safetensors.index.json";
    const sink = await create(index);
    await writeFile(sink, () => sink.write(encodeText(indexOf(shards, files))));
    return [...files, index];
}
/** Fills files in the order of the tensors; always at least one file. */
function planShards(tensors, maxShardBytes) {
    const shards = [[]];
    let filled = 0;
    for (const tensor of tensors) {
        if (filled > 0 && filled + tensor.byteLength > maxShardBytes) {
            shards.push([]);
            filled = 0;
        }
        shards[shards.length - 1].push(tensor);
        filled += tensor.byteLength;
    }
    return shards;
}
function indexOf(shards, files) {
    const places = shards.flatMap((shard, i) => shard.map(({ name }) => [name, files[i]])).sort();
    const totalBytes = shards.flat().reduce((total, { byteLength }) => total + byteLength, 0);
    const index = { metadata: { total_size: totalBytes }, weight_map: Object.fromEntries(places) };
    return `${JSON.stringify(index, null, 2)}\n`;
}
function fiveDigits(value) {
    return String(value).padStart(5, "0");
}
