/** No n-gram twice: bans every token that would complete one that stands in the text already. Paulus et al., 2017. */
import { OutOfRangeError } from "../../core/errors.js";
import type { Processor } from "../sampling/candidates.js";

/** @throws OutOfRangeError unless n is a whole number from 1 on */
export function noRepeatNgramProcessor(n: number): Processor {
  if (!(Number.isInteger(n) && n >= 1)) throw new OutOfRangeError("noRepeatNgramSize", "a whole number from 1 on", n);
  return (candidates, { ids }) => {
    const start = ids.length - (n - 1);
    if (start < 0) return;
    for (let at = 0; at + n <= ids.length; at++) {
      let i = 0;
      while (i < n - 1 && ids[at + i] === ids[start + i]) i++;
      if (i === n - 1) candidates.ban(ids[at + i]!);
    }
  };
}
