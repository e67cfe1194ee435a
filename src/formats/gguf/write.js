import { FormatError, InvalidValueError, UnsupportedError } from "../../core/errors.js";
import { writeFile } from "../byte-sink.js";
import { copyTensor } from "../stored-tensor.js";
import { encodeText } from "../text.js";
import { ByteBuilder } from "./byte-builder.js";
import { elementTypes, numberByStorage, numberBytes, } from "./types.js";
/**
 * Writes one GGUF file and closes the sink.
 *
 * @throws UnsupportedError when GGUF has no such tensor type (u8, bool), FormatError when ggml would refuse a
 *   name or shape, InvalidValueError when a metadata value is not of its type.
 */
export async function writeGguf(sink, contents) {
    await writeFile(sink, async () => {
        const metadata = new Map(contents.metadata);
        const tensors = [...contents.tensors];
        const alignment = alignmentOf(metadata);
        const header = new ByteBuilder();
        header.u32(0x46554747);
        header.u32(3);
        header.u64(tensors.length);
        header.u64(metadata.size);
        for (const [key, value] of metadata)
            writeEntry(header, key, value);
        writeTensorEntries(header, tensors, alignment, sink.name);
        header.pad(alignment);
        await sink.write(header.bytes());
        for (const tensor of tensors) {
            await copyTensor(tensor, (bytes) => sink.write(bytes));
            await sink.write(new Uint8Array(-tensor.byteLength & (alignment - 1)));
        }
    });
}
function alignmentOf(metadata) {
    const alignment = metadata.get("general.alignment")?.value ?? 32;
    if (typeof alignment === "number" &&
        alignment >= 1 &&
        alignment <= 2 ** 20 &&
        Number.isInteger(Math.log2(alignment))) {
        return alignment;
    }
    throw new InvalidValueError("general.alignment", "a power of two up to 2^20", alignment);
}
function writeTensorEntries(into, tensors, alignment, path) {
    const names = new Set();
    let offset = 0;
    for (const { name, shape, storage, byteLength } of tensors) {
        const number = numberByStorage.get(storage);
        if (number === undefined) {
            throw new UnsupportedError(`tensor ${JSON.stringify(name)} in GGUF: storage`, storage, [
                ...numberByStorage.keys(),
            ]);
        }
        const fail = (problem) => new FormatError("GGUF", `tensor ${JSON.stringify(name)}`, problem, path);
        if (shape.length > 4)
            throw fail(`ggml allows four dimensions, not ${shape.length}`);
        if (encodeText(name).length > 63)
            throw fail("the name is longer than the 63 bytes that ggml allows");
        if (names.has(name))
            throw fail("the name stands twice");
        names.add(name);
        into.string(name);
        into.u32(shape.length);
        for (const size of shape.toReversed())
            into.u64(size);
        into.u32(number);
        into.u64(offset);
        offset += Math.ceil(byteLength / alignment) * alignment;
    }
}
function writeEntry(into, key, value) {
    into.string(key);
    into.u32(elementTypes.indexOf(value.type));
    writeValue(into, key, value);
}
function writeValue(into, key, entry) {
    const { type, value } = entry;
    if (entry.type === "array") {
        into.u32(elementTypes.indexOf(entry.of));
        into.u64(entry.value.length);
        if (entry.of === "array")
            for (const inner of entry.value)
                writeValue(into, key, inner);
        else
            for (const element of entry.value)
                writeElement(into, key, entry.of, element);
    }
    else
        writeElement(into, key, type, value);
}
function writeElement(into, key, type, value) {
    if (type === "string" && typeof value === "string")
        into.string(value);
    else if (type === "bool" && (value === true || value === false || value === 0 || value === 1))
        into.u8(Number(value));
    else if (type in numberBytes && (typeof value === "number" || typeof value === "bigint")) {
        if (!into.number(type, value))
            throw new InvalidValueError(`metadata ${key}`, `within ${type}`, value);
    }
    else
        throw new InvalidValueError(`metadata ${key}`, `of type ${type}`, value);
}
