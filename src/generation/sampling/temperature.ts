/** Temperature: scores / T. Above 1 flattens the distribution, below 1 sharpens it. */
import { OutOfRangeError } from "../../core/errors.js";
import type { Filter } from "./candidates.js";

/** @throws OutOfRangeError unless T is a finite number above 0; temperature 0 is greedy, which needs no filter. */
export function temperatureFilter(temperature: number): Filter {
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new OutOfRangeError("temperature", "above 0", temperature);
  return (candidates) => candidates.divideBy(temperature);
}
