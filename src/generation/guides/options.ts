/** Ways to choose a token that run the model once more: what they may be asked, and their defaults. */
import { InvalidValueError, OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";

/** Classifier-free guidance: away from what a negative prompt would lead to. */
export interface GuidanceOptions {
  /** γ: 1 changes nothing, more holds on more to the prompt. A finite number. */
  readonly scale: number;
  /**
   * What takes the prompt's place in the second run: a text or token ids; for an encoder-decoder model the source.
   * Default: the prompt's last token alone; an encoder-decoder model has none.
   */
  readonly negative?: string | ArrayLike<number>;
}

/** Contrastive search: likely tokens whose state is unlike all states before. */
export interface ContrastiveOptions {
  /** α in [0, 1]: what unlikeness counts against probability; 0 is greedy. */
  readonly penaltyAlpha: number;
  /** k: the likeliest tokens, among which it chooses. Default 4. */
  readonly topK?: number;
}

/** DoLa: what the last layers add to what an early one would say. */
export interface DolaOptions {
  /**
   * Early layers to choose among at each step, counted from 0, the embeddings: numbers, or every other one of the lower
   * or the upper half (with more than 40 layers: of the first or last 20).
   */
  readonly layers: "low" | "high" | readonly number[];
}

export interface GuideOptions {
  readonly guidance?: GuidanceOptions;
  readonly contrastive?: ContrastiveOptions;
  readonly dola?: DolaOptions;
}

export const guideOptionNames = ["guidance", "contrastive", "dola"] as const;

/** @throws UnknownOptionError, OutOfRangeError, InvalidValueError for what cannot be had together */
export function checkGuides(
  options: GuideOptions & { readonly sampling?: object; readonly contextShift?: object },
): void {
  const { guidance, contrastive, dola, contextShift } = options;
  if (contextShift !== undefined && (guidance || contrastive || dola)) {
    throw new InvalidValueError("contextShift", "absent where the model is run once more", contextShift);
  }
  if (guidance !== undefined) {
    rejectUnknownOptions(guidance, ["scale", "negative"], "guidance");
    if (!Number.isFinite(guidance.scale)) throw new OutOfRangeError("guidance.scale", "finite", guidance.scale);
  }
  if (dola !== undefined) rejectUnknownOptions(dola, ["layers"], "dola");
  if (guidance !== undefined && dola !== undefined) {
    throw new InvalidValueError("dola", "absent where there is guidance", dola);
  }
  if (contrastive === undefined) return;
  rejectUnknownOptions(contrastive, ["penaltyAlpha", "topK"], "contrastive");
  const { penaltyAlpha, topK = 4 } = contrastive;
  if (!(penaltyAlpha >= 0 && penaltyAlpha <= 1)) {
    throw new OutOfRangeError("contrastive.penaltyAlpha", "from 0 to 1", penaltyAlpha);
  }
  if (!(Number.isInteger(topK) && topK >= 1)) {
    throw new OutOfRangeError("contrastive.topK", "a whole number from 1 on", topK);
  }
  if (Object.keys(options.sampling ?? {}).length > 0) {
    throw new InvalidValueError("sampling", "absent where contrastive search chooses", options.sampling);
  }
}

/**
 * The early layers, as Hugging Face's `generate` chooses them: with tied embeddings, what they themselves would say is
 * the token before, so "low" begins further up.
 * @param layerCount - of the model; its last state is no early one
 * @throws OutOfRangeError, InvalidValueError for none
 */
export function earlyLayers(layers: DolaOptions["layers"], layerCount: number, tied: boolean): number[] {
  if (typeof layers !== "string") {
    if (layers.length === 0) throw new InvalidValueError("dola.layers", "at least one", layers);
    for (const layer of layers) {
      if (Number.isInteger(layer) && layer >= 0 && layer < layerCount) continue;
      throw new OutOfRangeError("dola.layers", `whole numbers from 0 to ${layerCount - 1}`, layer);
    }
    return [...new Set(layers)];
  }
  if (layers !== "low" && layers !== "high")
    throw new InvalidValueError("dola.layers", '"low", "high" or a list', layers);
  const half = Math.floor(layerCount / 2);
  if (layers === "high") return everyOther(layerCount > 40 ? layerCount - 20 : half, layerCount);
  const first = tied ? Math.min(2, layerCount - 1) : 0;
  return first >= half ? [first] : everyOther(first, layerCount > 40 ? 20 : half);
}

function everyOther(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, Math.ceil((to - from) / 2)) }, (_, i) => from + 2 * i);
}
