/**
 * A linear map of each row: y = W·x + b.
 *
 * The storage type of W decides the arithmetic. f32, f16, bf16: products and sums of floats. q8_0 and q4_0: each row
 * of x is first quantized in blocks of 32 to int8 with one scale (largest magnitude / 127), as llama.cpp does, and
 * the products inside a block are integers, hence exact.
 */
import { ShapeError } from "../../core/errors.js";
import { defineOperation, floats, rowsOf } from "../operation.js";
import { sameExtent, showShape } from "../tensor.js";
/**
 * @param x - [n, in]
 * @param weight - parameter [out, in]
 * @param bias - parameter [out], optional
 * @returns [n, out]
 */
export function linear(x, weight, bias) {
    const [out, width] = weight.shape;
    if (x.shape.length !== 2 || weight.shape.length !== 2 || !sameExtent(x.shape[1], width)) {
        throw new ShapeError(`linear by ${weight.name}`, `[n, ${String(width)}]`, showShape(x.shape));
    }
    if (bias !== undefined && !(bias.shape.length === 1 && sameExtent(bias.shape[0], out))) {
        throw new ShapeError(`bias ${bias.name}`, showShape([out]), showShape(bias.shape));
    }
    const inputs = bias === undefined ? [x, weight] : [x, weight, bias];
    return x.graph.apply("linear", inputs, {}, [x.shape[0], out], "f32");
}
export const linearOperation = defineOperation({
    name: "linear",
    reference({ inputs: [x, weight, bias], output }) {
        const { rows, width: out } = rowsOf(output);
        const width = weight.shape[1];
        const integerBlocks = weight.storage === "q8_0" || weight.storage === "q4_0";
        const source = integerBlocks ? roundToInt8Blocks(floats(x), rows, width) : floats(x);
        const matrix = floats(weight);
        for (let row = 0; row < rows; row++) {
            for (let j = 0; j < out; j++) {
                let sum = bias === undefined ? 0 : floats(bias)[j];
                for (let i = 0; i < width; i++)
                    sum += source[row * width + i] * matrix[j * width + i];
                floats(output)[row * out + j] = sum;
            }
        }
    },
});
/** The values that int8 blocks of 32 stand for: scale = max|x| / 127, rounded half away from zero. */
export function roundToInt8Blocks(x, rows, width) {
    const rounded = new Float64Array(rows * width);
    for (let start = 0; start < rows * width; start += 32) {
        let largest = 0;
        for (let i = start; i < start + 32; i++)
            largest = Math.max(largest, Math.abs(x[i]));
        const scale = Math.fround(largest / 127);
        const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
        for (let i = start; i < start + 32; i++) {
            const scaled = Math.fround(x[i] * inverse);
            rounded[i] = Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5) * scale;
        }
    }
    return rounded;
}
