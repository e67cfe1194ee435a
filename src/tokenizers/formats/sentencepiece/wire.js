/**
 * Protocol buffers' wire format, as much of it as a SentencePiece model needs.
 * https://protobuf.dev/programming-guides/encoding/
 */
import { FormatError, TruncatedFileError } from "../../../core/errors.js";
const format = "SentencePiece model";
/** The fields of `message` in order. Every length is checked against the message before it is used. */
export function* wireFields(message, name) {
    const cursor = { at: 0 };
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    while (cursor.at < message.length) {
        const tag = varint(message, cursor, name);
        const number = Math.floor(tag / 8);
        if (number < 1 || number > 0x1fffffff)
            throw new FormatError(format, name, `has a field number ${number}`);
        yield { number, value: fieldValue(message, view, cursor, tag % 8, `${name} field ${number}`) };
    }
}
function fieldValue(message, view, cursor, wireType, name) {
    switch (wireType) {
        case 0:
            return varint(message, cursor, name);
        case 1:
            return view.getFloat64(advance(message, cursor, 8, name), true);
        case 2: {
            const length = varint(message, cursor, name);
            const start = advance(message, cursor, length, name);
            return message.subarray(start, start + length);
        }
        case 5:
            return view.getFloat32(advance(message, cursor, 4, name), true);
        default:
            throw new FormatError(format, name, `has wire type ${wireType}`);
    }
}
/** A varint as a number; beyond 2⁵³, as for negative 32-bit integers, its low bits are lost. */
function varint(message, cursor, name) {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
        const byte = message[advance(message, cursor, 1, name)];
        value += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80)
            return value;
    }
    throw new FormatError(format, name, "has a varint of more than ten bytes");
}
function advance(message, cursor, length, name) {
    if (length > message.length - cursor.at) {
        throw new TruncatedFileError(format, name, cursor.at + length, message.length);
    }
    const start = cursor.at;
    cursor.at += length;
    return start;
}
