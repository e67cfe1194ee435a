import { FormatError, TruncatedFileError, UnsupportedError } from "../../core/errors.js";
/** "ak42" as the exporter writes it: a little-endian u32. */
const magic = 0x616b3432;
const headerBytes = { 0: 28, 1: 256 };
const mostLayers = 4096;
/**
 * Reads and checks a header.
 *
 * @param head - the first 256 bytes of `source`, or all of it when it is shorter.
 * @throws TruncatedFileError, FormatError naming the field, UnsupportedError for version 2 (int8) and later.
 */
export function parseHeader(head, source) {
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    const version = head.length >= 8 && view.getUint32(0, true) === magic ? view.getInt32(4, true) : 0;
    if (version !== 0 && version !== 1) {
        throw new UnsupportedError("llama2.c checkpoint version", String(version), ["0 (legacy)", "1 (float32)"]);
    }
    const dataStart = headerBytes[version];
    if (source.size < dataStart)
        throw new TruncatedFileError("llama2.c", "header", dataStart, source.size, source.name);
    const at = version === 0 ? 0 : 8;
    const numbers = Array.from({ length: 7 }, (_, i) => view.getInt32(at + 4 * i, true));
    const [hiddenSize, intermediateSize, layerCount, headCount, keyValueHeadCount, signedVocabSize, contextLength] = numbers;
    const tied = version === 0 ? signedVocabSize > 0 : readFlag(view, source);
    const vocabSize = version === 0 ? Math.abs(signedVocabSize) : signedVocabSize;
    const sizes = { hiddenSize, intermediateSize, layerCount, headCount, keyValueHeadCount, vocabSize, contextLength };
    checkSizes(sizes, source);
    return { version, config: { ...sizes, tied }, dataStart };
}
function readFlag(view, source) {
    const flag = view.getUint8(36);
    if (flag > 1)
        throw new FormatError("llama2.c", "shared classifier flag", `must be 0 or 1, not ${flag}`, source.name);
    return flag === 1;
}
function checkSizes(sizes, source) {
    for (const [field, size] of Object.entries(sizes)) {
        if (size < 1)
            throw new FormatError("llama2.c", field, `must be positive, not ${size}; is this a llama2.c file?`, source.name);
    }
    const { hiddenSize, layerCount, headCount, keyValueHeadCount } = sizes;
    const refuse = (field, problem) => new FormatError("llama2.c", field, problem, source.name);
    if (layerCount > mostLayers)
        throw refuse("layerCount", `${layerCount} is more than ${mostLayers}`);
    if (hiddenSize % headCount !== 0 || (hiddenSize / headCount) % 2 !== 0) {
        throw refuse("headCount", `${headCount} heads do not divide hiddenSize ${hiddenSize} into even sizes`);
    }
    if (headCount % keyValueHeadCount !== 0) {
        throw refuse("keyValueHeadCount", `${keyValueHeadCount} does not divide headCount ${headCount}`);
    }
}
