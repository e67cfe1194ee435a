import { FormatError } from "../../core/errors.js";
import { storageTypes } from "../../core/storage.js";
import { writeFile } from "../byte-sink.js";
import { copyTensor } from "../stored-tensor.js";
import { encodeText } from "../text.js";
import { dtypeOfStorage } from "./dtypes.js";
/**
 * Writes one safetensors file and closes the sink. Wide types come first, so every tensor is aligned; within a
 * type the order is that of the names, so the same tensors always give the same bytes.
 *
 * @param metadata - free text for the header's `__metadata__`.
 * @throws UnsupportedError for a tensor in quantized blocks, FormatError when two tensors have one name.
 */
export async function writeSafetensors(sink, tensors, metadata = {}) {
    await writeFile(sink, async () => {
        const ordered = [...tensors].sort(byAlignmentThenName);
        await sink.write(header(ordered, metadata, sink.name));
        for (const tensor of ordered)
            await copyTensor(tensor, (bytes) => sink.write(bytes));
    });
}
function byAlignmentThenName(a, b) {
    const wider = storageTypes[b.storage].blockBytes - storageTypes[a.storage].blockBytes;
    return wider || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
function header(tensors, metadata, path) {
    const entries = new Map();
    if (Object.keys(metadata).length > 0)
        entries.set("__metadata__", metadata);
    let at = 0;
    for (const { name, shape, storage, byteLength } of tensors) {
        if (name === "" || entries.has(name) || name === "__metadata__") {
            throw new FormatError("safetensors", `tensor ${JSON.stringify(name)}`, "name is empty or stands twice", path);
        }
        entries.set(name, { dtype: dtypeOfStorage(storage, name), shape, data_offsets: [at, at + byteLength] });
        at += byteLength;
    }
    const json = encodeText(`{${[...entries].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)}}`);
    const bytes = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
    bytes.set(json, 8);
    return bytes;
}
