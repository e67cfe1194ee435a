/** Names and declares an operation. */
export function defineOperation(operation) {
    return operation;
}
/** Float data of an input. */
export function floats(tensor) {
    return tensor.data;
}
/** Integer data of an input. */
export function integers(tensor) {
    return tensor.data;
}
/** Rows and row width of a host tensor. */
export function rowsOf(tensor) {
    const [rows = 1, ...rest] = tensor.shape;
    return { rows, width: rest.reduce((product, extent) => product * extent, 1) };
}
