/** Biases of single tokens and of sequences, of which bad words are those of −∞. As Hugging Face's. */
import { InvalidValueError } from "../../core/errors.js";
import type { Processor } from "../sampling/candidates.js";

export interface SequenceBias {
  /** At least one token id. */
  readonly ids: readonly number[];
  /** What is added to the score of the last id where the others stand before it; false: it is banned there. */
  readonly bias: number | false;
}

/** @throws InvalidValueError for an empty sequence, an id outside the vocabulary, or a bias that is no number */
export function sequenceBiasProcessor(biases: readonly SequenceBias[], vocabSize: number, name: string): Processor {
  for (const { ids, bias } of biases) {
    if (ids.length === 0) throw new InvalidValueError(name, "sequences of at least one token", ids);
    for (const id of ids) {
      if (!(Number.isInteger(id) && id >= 0 && id < vocabSize)) {
        throw new InvalidValueError(name, `token ids from 0 to ${vocabSize - 1}`, id);
      }
    }
    if (bias !== false && (typeof bias !== "number" || Number.isNaN(bias))) {
      throw new InvalidValueError(name, "numbers, or false", bias);
    }
  }
  return (candidates, place) => {
    for (const { ids, bias } of biases) {
      if (!stands(ids, place.ids)) continue;
      const added = bias === false ? Number.NEGATIVE_INFINITY : bias;
      candidates.change(ids.at(-1)!, (z) => z + added);
    }
  };
}

/** Whether all of `sequence` but its last id stand at the end of `ids`. */
function stands(sequence: readonly number[], ids: readonly number[]): boolean {
  const start = ids.length - (sequence.length - 1);
  if (start < 0) return false;
  for (let i = 0; i < sequence.length - 1; i++) if (ids[start + i] !== sequence[i]) return false;
  return true;
}
