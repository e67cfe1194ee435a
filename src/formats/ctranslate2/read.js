import { FormatError, TruncatedFileError, UnsupportedError } from "../../core/errors.js";
import { elementCount } from "../shape.js";
import { SourceTensor } from "../stored-tensor.js";
import { readHead, refuseOtherKinds } from "../wrong-file.js";
import { scaled } from "./scaled.js";
const format = "CTranslate2";
/** Real models have a few hundred, at most a few thousand. */
const mostVariables = 65_536;
/** Bytes fetched for the header of one variable: a name, a rank of at most eight, two counts. */
const headerBytes = 512;
const mostDimensions = 8;
/** Bytes of the shortest variable: an empty name, no sizes, no items. */
const shortestVariable = 2 + 1 + 1 + 1 + 4;
const storageByItemSize = { 1: "i8", 2: "i16", 4: "f32" };
/** Whether a file begins as a CTranslate2 model does: a small version, then a short name that ends in NUL. */
export function isCtranslate2(head) {
    if (head.length < 8)
        return false;
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    const [version, length] = [view.getUint32(0, true), view.getUint16(4, true)];
    if (version < 1 || version > 16 || length < 2 || 6 + length > head.length || head[5 + length] !== 0)
        return false;
    return head.subarray(6, 5 + length).every((byte) => byte >= 0x30 && byte < 0x7f);
}
/**
 * Opens a model: reads the headers, leaves the data where they are.
 *
 * @param source - owned by the result from now on: its `close` closes it.
 * @throws WrongFileError, TruncatedFileError, FormatError naming the field, UnsupportedError for another version.
 */
export async function readCtranslate2(source) {
    refuseOtherKinds(source, await readHead(source), "ctranslate2", "a CTranslate2 model");
    const start = await HeaderWindow.at(source, 0);
    const version = start.unsigned(4, "binary version");
    if (version !== 2)
        throw new UnsupportedError("CTranslate2 binary version", String(version), ["2"]);
    const specification = start.string("specification name");
    const revision = start.unsigned(4, "revision");
    const count = start.unsigned(4, "variable count");
    if (count > mostVariables)
        throw start.error("variable count", `${count} is more than ${mostVariables}`);
    start.need(count * shortestVariable, "variable count");
    const variables = new Map();
    let at = start.position;
    for (let i = 0; i < count; i++) {
        const { tensor, end } = await readVariable(source, at, i);
        if (variables.has(tensor.name))
            throw start.error(`variable ${i} name`, `${JSON.stringify(tensor.name)} stands twice`);
        variables.set(tensor.name, tensor);
        at = end;
    }
    const close = () => source.close();
    return { specification, revision, tensors: dequantized(variables, source), close, [Symbol.asyncDispose]: close };
}
async function readVariable(source, at, index) {
    const header = await HeaderWindow.at(source, at);
    const name = header.string(`variable ${index} name`);
    const field = `variable ${JSON.stringify(name.slice(0, 80))}`;
    const rank = header.unsigned(1, `${field} rank`);
    if (rank > mostDimensions)
        throw header.error(`${field} rank`, `${rank} is more than ${mostDimensions}`);
    const shape = Array.from({ length: rank }, () => header.unsigned(4, `${field} shape`));
    const itemSize = header.unsigned(1, `${field} item size`);
    const items = header.unsigned(4, `${field} item count`);
    const storage = storageByItemSize[itemSize];
    if (storage === undefined)
        throw header.error(`${field} item size`, `${itemSize} is not 1, 2 or 4`);
    if (elementCount(shape) !== items)
        throw header.error(`${field} item count`, `${items} is not what [${shape}] holds`);
    header.need(items * itemSize, `${field} data`);
    const start = header.position;
    const tensor = new SourceTensor(name, shape, storage, items * itemSize, source, start);
    return { tensor, end: start + items * itemSize };
}
/** Pairs each quantized weight with its `_scale` variable; those are then no longer tensors of their own. */
function dequantized(variables, source) {
    const tensors = new Map();
    for (const [name, tensor] of variables) {
        const scale = variables.get(`${name}_scale`);
        if (scale !== undefined)
            tensors.set(name, scaled(tensor, scale, source.name));
        else if (tensor.storage === "i16") {
            throw new UnsupportedError(`${source.name}: variable ${name} without scale`, "16-bit items", [
                "float32",
                "int16 or int8 with a scale",
            ]);
        }
        else if (!(name.endsWith("_scale") && variables.has(name.slice(0, -"_scale".length))))
            tensors.set(name, tensor);
    }
    return tensors;
}
/** A stretch of the file that holds the header of one variable. */
class HeaderWindow {
    source;
    start;
    view;
    at = 0;
    constructor(source, start, view) {
        this.source = source;
        this.start = start;
        this.view = view;
    }
    static async at(source, start) {
        const bytes = new Uint8Array(Math.max(0, Math.min(headerBytes, source.size - start)));
        await source.read(start, bytes);
        return new HeaderWindow(source, start, new DataView(bytes.buffer));
    }
    get position() {
        return this.start + this.at;
    }
    unsigned(bytes, field) {
        this.take(bytes, field);
        const at = this.at - bytes;
        return bytes === 1
            ? this.view.getUint8(at)
            : bytes === 2
                ? this.view.getUint16(at, true)
                : this.view.getUint32(at, true);
    }
    string(field) {
        const length = this.unsigned(2, field);
        this.take(length, field);
        const bytes = new Uint8Array(this.view.buffer, this.at - length, length);
        if (length === 0 || bytes[length - 1] !== 0)
            throw this.error(field, "does not end in NUL");
        if (!bytes.subarray(0, -1).every((byte) => byte >= 0x20 && byte < 0x7f))
            throw this.error(field, "is not ASCII");
        return String.fromCharCode(...bytes.subarray(0, -1));
    }
    /** @throws TruncatedFileError unless so many bytes follow */
    need(bytes, field) {
        const end = this.position + bytes;
        if (end > this.source.size)
            throw new TruncatedFileError(format, field, end, this.source.size, this.source.name);
    }
    error(field, problem) {
        return new FormatError(format, field, problem, this.source.name);
    }
    take(bytes, field) {
        this.need(bytes, field);
        if (this.at + bytes > this.view.byteLength)
            throw this.error(field, `is longer than ${headerBytes} bytes allow`);
        this.at += bytes;
    }
}
