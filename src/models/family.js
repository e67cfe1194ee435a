/** What a family file provides: a configuration parser and a map from parameters to stored tensors. */
export const huggingFaceDialect = {
    interleavedRotary: false,
    normsLessOne: true,
    transposed: true,
    fusedByHead: true,
};
/** The same input, where keys that a family's published classes have defaults for are never absent. */
export function withDefaults(input, defaults) {
    return { ...input, config: input.config.withDefaults(defaults) };
}
