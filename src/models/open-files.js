/** Opens a checkpoint from files that lie in no file system: picked by a person, dropped on a page, fetched. */
import { FileNotFoundError, UnsupportedError } from "../core/errors.js";
import { BlobSource, identifyFile, readGguf, readHead, readHuggingFace, readLlama2c, } from "../formats/index.js";
import { openGguf } from "./gguf/open-gguf.js";
import { openHuggingFace } from "./open-hugging-face.js";
import { openLlama2c } from "./open-llama2c.js";
/** A folder whose files are blobs, by name. */
export function blobFolder(files, name = "files") {
    return {
        name,
        files: [...files.keys()].sort(),
        async open(file) {
            const blob = files.get(file);
            if (blob === undefined)
                throw new FileNotFoundError(`${name}/${file}`, "a file of this folder");
            return new BlobSource(blob, `${name}/${file}`);
        },
    };
}
/**
 * A GGUF file, a llama2.c file (with its tokenizer beside it), or the files of a Hugging Face folder.
 * @param files - by name; weights are read by slices, never held whole
 * @throws FileNotFoundError, UnsupportedError, WrongFileError, FormatError, TruncatedFileError
 */
export async function openFiles(files, name = "files") {
    if (files.has("config.json"))
        return openHuggingFace(await readHuggingFace(blobFolder(files, name)));
    for (const [file, blob] of files) {
        const source = new BlobSource(blob, `${name}/${file}`);
        if (identifyFile(await readHead(source)) === "gguf")
            return openGguf(source.name, await readGguf(source));
    }
    const isTokenizer = (file) => /^tok.*\.bin$/.test(file);
    for (const [file, blob] of files) {
        if (!file.endsWith(".bin") || isTokenizer(file))
            continue;
        const source = new BlobSource(blob, `${name}/${file}`);
        const tokenizer = [...files].find(([other]) => isTokenizer(other))?.[1];
        const bytes = tokenizer === undefined ? undefined : new Uint8Array(await tokenizer.arrayBuffer());
        return openLlama2c(source.name, await readLlama2c(source), bytes);
    }
    throw new UnsupportedError("files", [...files.keys()].join(", ") || "none", [
        "a folder with config.json",
        ".gguf",
        ".bin",
    ]);
}
