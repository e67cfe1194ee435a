/** Min-p: keeps candidates at least `minP` times as likely as the likeliest. Nguyen et al., 2024 (arXiv:2407.01082). */
import { OutOfRangeError } from "../../core/errors.js";
/** @throws OutOfRangeError unless minP is in [0, 1]. */
export function minPFilter(minP) {
    if (!(minP >= 0 && minP <= 1))
        throw new OutOfRangeError("minP", "from 0 to 1", minP);
    // p ≥ minP · p_max is score ≥ score_max + ln minP.
    return (candidates) => candidates.keepFrom(candidates.largest() + Math.log(minP));
}
