/** Temperature: scores / T. Above 1 flattens the distribution, below 1 sharpens it. */
import { OutOfRangeError } from "../../core/errors.js";
/** @throws OutOfRangeError unless T is a finite number above 0; temperature 0 is greedy, which needs no filter. */
export function temperatureFilter(temperature) {
    if (!(temperature > 0 && Number.isFinite(temperature)))
        throw new OutOfRangeError("temperature", "above 0", temperature);
    return (candidates) => {
        for (let i = 0; i < candidates.count; i++)
            candidates.scores[i] /= temperature;
    };
}
