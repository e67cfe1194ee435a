import { HithertoError } from "../core/errors.js";
/** The file is whole, but of another kind than was asked for. */
export class WrongFileError extends HithertoError {
    path;
    expected;
    found;
    advice;
    code = "WRONG_FILE";
    constructor(path, expected, found, advice) {
        super(`${path}: expected ${expected}, but this is ${found}; ${advice}`);
        this.path = path;
        this.expected = expected;
        this.found = found;
        this.advice = advice;
    }
}
/** Bytes from the start of a file that `identifyFile` needs to see. */
export const headBytes = 256;
/** In order: a safetensors header may begin with any bytes, so it is looked for before what it could be taken for. */
const kinds = [
    {
        format: "safetensors",
        found: "a safetensors file",
        advice: "open it as safetensors",
        matches: (head, text) => text[8] === "{" && head.subarray(4, 8).every((byte) => byte === 0),
    },
    {
        format: "llama2c",
        found: "a llama2.c checkpoint",
        advice: "open it as llama2.c `.bin`",
        matches: (_, text) => text.startsWith("24ka"),
    },
    {
        format: "gguf",
        found: "a GGUF file",
        advice: "open it as GGUF",
        matches: (_, text) => text.startsWith("GGUF"),
    },
    {
        format: "git-lfs",
        found: "a Git LFS pointer, not the file it stands for",
        advice: "fetch the file itself with `git lfs pull`",
        matches: (_, text) => text.startsWith("version https://git-lfs.github.com/spec/"),
    },
    {
        format: "html",
        found: "a web page (HTML)",
        advice: "the download probably needed a login or another link",
        matches: (_, text) => /^(\u00ef\u00bb\u00bf)?\s*<(!doctype|html|head|\?xml|body)/i.test(text),
    },
    {
        format: "zip",
        found: "a zip archive, as PyTorch's .bin, .pt and .pth files are",
        advice: "convert it to safetensors with the program that made it, or unpack it",
        matches: (_, text) => text.startsWith("PK\u0003\u0004") || text.startsWith("PK\u0005\u0006"),
    },
    {
        format: "pickle",
        found: "a Python pickle",
        advice: "a pickle can run any code, so it is never opened; convert it to safetensors",
        matches: ([first, second, third]) => first === 0x80 && second >= 2 && second <= 5 && third !== 0,
    },
    {
        format: "gzip",
        found: "a gzip archive",
        advice: "unpack it first",
        matches: ([first, second, third]) => first === 0x1f && second === 0x8b && third === 8,
    },
    {
        format: "hdf5",
        found: "an HDF5 file, as TensorFlow's .h5 files are",
        advice: "convert it to safetensors with the program that made it",
        matches: (_, text) => text.startsWith("\u0089HDF\r\n\u001a\n"),
    },
    {
        format: "ggml",
        found: "an old GGML file, from before GGUF",
        advice: "convert it to GGUF with llama.cpp",
        matches: (_, text) => /^(lmgg|fmgg|tjgg|algg)/.test(text),
    },
    {
        format: "json",
        found: "a JSON or other text file",
        advice: "perhaps an error message of the server was saved in place of the file",
        matches: (_, text) => /^\s*[{[]\s*["[{}\]]/.test(text),
    },
];
/**
 * Names the kind of a file by its first bytes.
 *
 * @param head - the first `headBytes` bytes, or fewer when the file is shorter.
 * @returns such as `"gguf"`, `"safetensors"`, `"html"`, `"zip"`; undefined when nothing is recognised.
 */
export function identifyFile(head) {
    return kindOf(head)?.format;
}
/** The first bytes of a source, at most `headBytes`. */
export async function readHead(source) {
    const head = new Uint8Array(Math.min(headBytes, source.size));
    await source.read(0, head);
    return head;
}
/**
 * Refuses a file that is plainly of another kind. A file that cannot be told is let through.
 *
 * @param format - the kind expected, as `identifyFile` names it.
 * @param expected - the same in words.
 * @throws WrongFileError
 */
export function refuseOtherKinds(source, head, format, expected) {
    if (source.size === 0)
        throw new WrongFileError(source.name, expected, "an empty file", "download it again");
    const kind = kindOf(head);
    if (kind !== undefined && kind.format !== format) {
        throw new WrongFileError(source.name, expected, kind.found, kind.advice);
    }
}
function kindOf(head) {
    const text = String.fromCharCode(...head.subarray(0, headBytes));
    return kinds.find((kind) => kind.matches(head, text));
}
