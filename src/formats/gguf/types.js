/** Tensor types that this package stores, by their number in the file. */
export const storageByNumber = new Map([
    [0, "f32"],
    [1, "f16"],
    [2, "q4_0"],
    [3, "q4_1"],
    [6, "q5_0"],
    [7, "q5_1"],
    [8, "q8_0"],
    [10, "q2_k"],
    [11, "q3_k"],
    [12, "q4_k"],
    [13, "q5_k"],
    [14, "q6_k"],
    [20, "iq4_nl"],
    [23, "iq4_xs"],
    [24, "i8"],
    [25, "i16"],
    [26, "i32"],
    [27, "i64"],
    [28, "f64"],
    [30, "bf16"],
    [39, "mxfp4"],
]);
export const numberByStorage = new Map([...storageByNumber].map(([number, storage]) => [storage, number]));
/** Tensor types that exist but are not supported, by number: so that the refusal can name them. */
const foreignTensorTypes = {
    4: "Q4_2",
    5: "Q4_3",
    9: "Q8_1",
    15: "Q8_K",
    16: "IQ2_XXS",
    17: "IQ2_XS",
    18: "IQ3_XXS",
    19: "IQ1_S",
    21: "IQ3_S",
    22: "IQ2_S",
    29: "IQ1_M",
    34: "TQ1_0",
    35: "TQ2_0",
    40: "NVFP4",
    41: "Q1_0",
};
/** What to call a tensor type that is not supported. */
export function foreignTypeName(number) {
    return foreignTensorTypes[number] ?? `type ${number}`;
}
/** Numeric metadata types and the bytes that each takes. */
export const numberBytes = {
    u8: 1,
    i8: 1,
    u16: 2,
    i16: 2,
    u32: 4,
    i32: 4,
    u64: 8,
    i64: 8,
    f32: 4,
    f64: 8,
};
/** Metadata types by their number in the file. */
export const elementTypes = [
    "u8",
    "i8",
    "u16",
    "i16",
    "u32",
    "i32",
    "f32",
    "bool",
    "string",
    "array",
    "u64",
    "i64",
    "f64",
];
