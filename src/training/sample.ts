/** What a model writes while it is being trained. */
import type { StateResource } from "../backends/backend.js";
import type { Prompt } from "../generation/model.js";
import type { Dataset } from "./data/batch.js";
import { inferenceModel } from "./inference.js";
import type { ResolvedSettings } from "./options.js";
import type { TrainableModel } from "./trainable-model.js";

export interface Sample {
  readonly prompt: string;
  /** The completion, without the prompt. */
  readonly text: string;
}

/**
 * Lets the weights as they are now write a text, by the session that any loaded model generates with.
 * @param turn - how many samples came before: prompts take turns
 * @returns undefined where the model has no tokenizer, or nothing to begin from
 */
export async function sampleText(
  model: TrainableModel,
  data: Dataset,
  { samples, seed }: ResolvedSettings,
  turn: number,
  states?: ReadonlyMap<string, StateResource>,
): Promise<Sample | undefined> {
  if (model.tokenizer === undefined) return undefined;
  const prompt = await promptFor(model, data, samples.prompts, turn);
  if (prompt === undefined) return undefined;
  const { temperature } = samples;
  const maxTokens = Math.min(samples.maxTokens, model.config.contextLength - 1);
  const inference = await inferenceModel(model, { sequences: 1, states });
  try {
    let text = "";
    const sampling = { temperature, seed: seed + turn };
    const steps = inference.generate(beginning(model, prompt), { maxTokens, sampling });
    for await (const step of steps) text += step.text;
    return { prompt, text };
  } finally {
    await inference.dispose();
  }
}

/** Without prompts, pairs are held-out sources in turn. */
async function promptFor(
  { config }: TrainableModel,
  data: Dataset,
  prompts: readonly string[],
  turn: number,
): Promise<string | undefined> {
  const prompt = prompts[turn % prompts.length] ?? "";
  if (prompt !== "" || config.kind === "decoder-only") return prompt;
  let index = 0;
  for await (const { source } of data.heldOutExamples()) if (index++ === turn % 20) return source;
  return undefined;
}

/** The empty prompt of a model without a beginning token is an end token, which documents stand between, or any. */
function beginning({ config, tokenizer }: TrainableModel, prompt: string): Prompt {
  const hasBegin = tokenizer?.tokenizer.beginId !== undefined || config.beginId !== undefined;
  if (prompt !== "" || hasBegin) return prompt;
  return [config.endIds[0] ?? 0];
}
