/**
 * What `hitherto train` is told: a model, what it learns from, and how.
 *
 * Written as JSON, or in TypeScript as `TrainingConfig`. Everything that may be said, with its default and its unit,
 * stands in these declarations; help and documentation are printed from them.
 */

import {
  choice,
  foreignObject,
  group,
  type InputOf,
  type OutputOf,
  optional,
  path,
  required,
  text,
  whole,
  withDefault,
} from "./kinds.js";
import {
  batch,
  checkpoints,
  evaluation,
  hardware,
  lora,
  optimizer,
  regularisation,
  samples,
  schedule,
} from "./parts.js";
import { data, tokenizer } from "./sources.js";

const run = group({
  name: optional(text, "the name of the file, without its extension", "what the run is called, in plots too"),
  folder: optional(path, "`runs/` and the name, in the working folder", "where checkpoints, metrics and the model go"),
  seed: withDefault(whole(0), 1, "of first weights, the order of data, dropout and samples"),
});

const model = choice({
  new: {
    doc: "a model with weights drawn from the seed",
    fields: {
      config: required(
        foreignObject,
        "its config.json, with Hugging Face's keys and defaults; `vocab_size` and special ids may be left to the tokenizer",
      ),
    },
  },
  checkpoint: {
    doc: "a model that exists, to go on with",
    fields: {
      path: required(
        path,
        "a Hugging Face folder, a .gguf, .safetensors or llama2.c .bin file, or an embedded model's name",
      ),
      lora: optional(
        lora,
        "all weights learn",
        "learn pairs of small matrices beside its own, which stay (Hu et al., arXiv:2106.09685)",
      ),
    },
  },
});

/** The keys at the top, in the order in which they are documented. */
export const topLevel = {
  run: withDefault(run, {}, "name, place and seed", "see its keys"),
  model: required(model, "what learns"),
  tokenizer: optional(tokenizer, "the checkpoint's own; for a new model required", "how text becomes tokens"),
  data: required(data, "what it learns from, and what it is measured on"),
  batch: required(batch, "how much at once"),
  optimizer: withDefault(optimizer, {}, "how gradients change weights", "see its keys"),
  schedule: required(schedule, "how long, and how the learning rate goes"),
  regularisation: withDefault(regularisation, {}, "what keeps the model from learning by heart", "see its keys"),
  evaluation: withDefault(evaluation, {}, "when the held-out loss is measured", "see its keys"),
  samples: withDefault(samples, {}, "what the model writes meanwhile", "see its keys"),
  checkpoints: withDefault(checkpoints, {}, "what is saved to resume from", "see its keys"),
  hardware: withDefault(hardware, {}, "what computes, and how exactly", "see its keys"),
} as const;

/** What a person writes. */
export type TrainingConfig = InputOf<typeof topLevel>;
/** The same, checked, with every default filled in. */
export type ResolvedTrainingConfig = OutputOf<typeof topLevel>;

const whole_ = group(topLevel);

/**
 * Checks a configuration and fills in its defaults.
 * @throws ConfigError that names the key, and for an unknown one the nearest that is known
 */
export function readTrainingConfig(value: unknown): ResolvedTrainingConfig {
  return whole_.read(value, "") as ResolvedTrainingConfig;
}
