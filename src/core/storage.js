/**
 * How the elements of a tensor are stored: plain numbers, or blocks of quantized ones (GGUF block types).
 *
 * Quantization is a storage type, not another kind of model. Block layouts are those of GGUF
 * (ggml `ggml-common.h`); `formats/` reads and writes them, the backends compute with some directly.
 */
/** Elements per block and bytes per block of every storage type. Plain types are blocks of one. */
export const storageTypes = {
    f64: { blockSize: 1, blockBytes: 8 },
    f32: { blockSize: 1, blockBytes: 4 },
    f16: { blockSize: 1, blockBytes: 2 },
    bf16: { blockSize: 1, blockBytes: 2 },
    i64: { blockSize: 1, blockBytes: 8 },
    i32: { blockSize: 1, blockBytes: 4 },
    i16: { blockSize: 1, blockBytes: 2 },
    i8: { blockSize: 1, blockBytes: 1 },
    u8: { blockSize: 1, blockBytes: 1 },
    bool: { blockSize: 1, blockBytes: 1 },
    q4_0: { blockSize: 32, blockBytes: 18 },
    q4_1: { blockSize: 32, blockBytes: 20 },
    q5_0: { blockSize: 32, blockBytes: 22 },
    q5_1: { blockSize: 32, blockBytes: 24 },
    q8_0: { blockSize: 32, blockBytes: 34 },
    q2_k: { blockSize: 256, blockBytes: 84 },
    q3_k: { blockSize: 256, blockBytes: 110 },
    q4_k: { blockSize: 256, blockBytes: 144 },
    q5_k: { blockSize: 256, blockBytes: 176 },
    q6_k: { blockSize: 256, blockBytes: 210 },
    iq4_nl: { blockSize: 32, blockBytes: 18 },
    iq4_xs: { blockSize: 256, blockBytes: 136 },
    mxfp4: { blockSize: 32, blockBytes: 17 },
};
/** Bytes that `elements` elements take; `elements` must be whole blocks. */
export function storageBytes(type, elements) {
    const { blockSize, blockBytes } = storageTypes[type];
    return (elements / blockSize) * blockBytes;
}
