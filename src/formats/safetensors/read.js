import { FormatError, TruncatedFileError } from "../../core/errors.js";
import { SourceTensor } from "../stored-tensor.js";
import { decodeText } from "../text.js";
import { readHead, refuseOtherKinds } from "../wrong-file.js";
import { longestHeader, parseHeader } from "./header.js";
/**
 * Opens a safetensors file.
 *
 * @param source - owned by the result from now on: its `close` closes it.
 * @throws WrongFileError, TruncatedFileError, FormatError naming the field, UnsupportedError naming tensor and dtype.
 */
export async function readSafetensors(source) {
    const head = await readHead(source);
    refuseOtherKinds(source, head, "safetensors", "a safetensors file");
    const dataStart = 8 + headerLength(source, head);
    const header = new Uint8Array(dataStart - 8);
    await source.read(8, header);
    const json = decodeText(header, "safetensors", "header", source.name);
    const { metadata, entries } = parseHeader(json, source.size - dataStart, source.name);
    const tensors = new Map();
    for (const { name, shape, storage, start, end } of entries) {
        tensors.set(name, new SourceTensor(name, shape, storage, end - start, source, dataStart + start));
    }
    const close = () => source.close();
    return { metadata, tensors, close, [Symbol.asyncDispose]: close };
}
function headerLength(source, head) {
    if (source.size < 8)
        throw new TruncatedFileError("safetensors", "header length", 8, source.size, source.name);
    const length = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
    if (length < 2 || length > longestHeader) {
        const problem = `${length} is not between 2 and ${longestHeader}; is this a safetensors file?`;
        throw new FormatError("safetensors", "header length", problem, source.name);
    }
    if (8 + length > source.size) {
        throw new TruncatedFileError("safetensors", "header", 8 + length, source.size, source.name);
    }
    return length;
}
