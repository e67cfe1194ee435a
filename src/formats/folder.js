import { FileNotFoundError, FormatError } from "../core/errors.js";
import { MemorySource } from "./memory-source.js";
import { decodeText } from "./text.js";
/** A folder whose files are in memory. */
export function memoryFolder(files, name = "memory") {
    return {
        name,
        files: [...files.keys()].sort(),
        async open(file) {
            const bytes = files.get(file);
            if (bytes === undefined)
                throw new FileNotFoundError(`${name}/${file}`, "a file of this folder");
            return new MemorySource(bytes, `${name}/${file}`);
        },
    };
}
/**
 * A whole file of the folder, as bytes.
 *
 * @param mostBytes - a file larger than this is refused before anything is allocated.
 * @throws FileNotFoundError, FormatError when it is too large.
 */
export async function readWholeFile(folder, file, mostBytes) {
    const source = await folder.open(file);
    try {
        if (source.size > mostBytes) {
            throw new FormatError(file, "file size", `${source.size} bytes, more than the ${mostBytes} expected`, source.name);
        }
        const bytes = new Uint8Array(source.size);
        await source.read(0, bytes);
        return bytes;
    }
    finally {
        await source.close();
    }
}
/** A whole file of the folder, as text. Throws as `readWholeFile` does, and FormatError when it is not UTF-8. */
export async function readWholeText(folder, file, mostBytes) {
    return decodeText(await readWholeFile(folder, file, mostBytes), file, "text", `${folder.name}/${file}`);
}
