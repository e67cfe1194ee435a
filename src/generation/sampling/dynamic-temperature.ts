/**
 * Dynamic temperature: flatter where the model is unsure, sharper where it is certain.
 * T = low + (high − low) · (H / H_max)^exponent, low and high = temperature ∓ range, H_max = ln of the candidates'
 * number. As llama.cpp's temp-ext.
 */
import { OutOfRangeError } from "../../core/errors.js";
import type { Filter } from "./candidates.js";
import { entropyOf } from "./entropy.js";

/** @throws OutOfRangeError for a range or an exponent below 0, or a temperature of 0 or below */
export function dynamicTemperatureFilter(temperature: number, range: number, exponent: number): Filter {
  for (const [name, value] of Object.entries({
    "dynamicTemperature.range": range,
    "dynamicTemperature.exponent": exponent,
  })) {
    if (!(value >= 0 && Number.isFinite(value))) throw new OutOfRangeError(name, "0 or above", value);
  }
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new OutOfRangeError("temperature", "above 0", temperature);
  }
  const [low, high] = [Math.max(0, temperature - range), temperature + range];
  return (candidates) => {
    if (candidates.count < 2) return;
    const share = entropyOf(candidates) / Math.log(candidates.count);
    // A temperature of 0 would divide by it; what is this small leaves one candidate just the same.
    candidates.divideBy(Math.max(1e-6, low + (high - low) * share ** exponent));
  };
}
