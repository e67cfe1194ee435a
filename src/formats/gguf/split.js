import { FileNotFoundError, FormatError } from "../../core/errors.js";
import { readGguf } from "./read.js";
const partPattern = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/;
/**
 * Opens a GGUF file of a folder, and with it the other parts when it is one of several.
 *
 * @param file - a whole checkpoint, or any of its parts.
 * @returns metadata of the first part, tensors of all.
 * @throws FileNotFoundError naming the part that is absent, FormatError when two parts have one tensor, and as
 *   `readGguf` does.
 */
export async function readSplitGguf(folder, file) {
    const opened = [];
    const close = async () => {
        for (const part of opened)
            await part.close();
    };
    try {
        for (const part of partsOf(folder, file))
            opened.push(await openPart(folder, part));
        const { version, metadata, alignment } = opened[0];
        const tensors = unite(opened, `${folder.name}/${file}`);
        return { version, metadata, alignment, tensors, close, [Symbol.asyncDispose]: close };
    }
    catch (error) {
        await close();
        throw error;
    }
}
function partsOf(folder, file) {
    const match = partPattern.exec(file);
    const [, name, , count] = match ?? [];
    if (!(Number(count) > 0))
        return [file];
    const parts = [];
    for (let i = 1; i <= Number(count); i++) {
        const part = `${name}-${String(i).padStart(5, "0")}-of-${count}.gguf`;
        if (!folder.files.includes(part))
            throw new FileNotFoundError(`${folder.name}/${part}`, `part ${i} of ${Number(count)}`);
        parts.push(part);
    }
    return parts;
}
async function openPart(folder, part) {
    const source = await folder.open(part);
    try {
        return await readGguf(source);
    }
    catch (error) {
        await source.close();
        throw error;
    }
}
function unite(parts, path) {
    const tensors = new Map();
    for (const tensor of parts.flatMap((part) => [...part.tensors.values()])) {
        if (tensors.has(tensor.name)) {
            throw new FormatError("GGUF", `tensor ${JSON.stringify(tensor.name)} name`, "stands in two parts", path);
        }
        tensors.set(tensor.name, tensor);
    }
    return tensors;
}
