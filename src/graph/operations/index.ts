/** Every operation, by name. A backend is finished when it runs all of these as their definitions say. */
import type { Operation } from "../operation.js";
import { activationOperation } from "./activation.js";
import { addOperation } from "./add.js";
import { argmaxOperation } from "./argmax.js";
import { attentionOperation } from "./attention.js";
import { attentionWeightsOperation } from "./attention-weights.js";
import { cacheWriteOperation } from "./cache-write.js";
import { embeddingOperation } from "./embedding.js";
import { gatedActivationOperation } from "./gated-activation.js";
import { layerNormOperation } from "./layer-norm.js";
import { linearOperation } from "./linear.js";
import { logSumExpOperation } from "./log-sum-exp.js";
import { rmsNormOperation } from "./rms-norm.js";
import { rotaryOperation } from "./rotary.js";
import { scaleOperation } from "./scale.js";
import { selectRowsOperation } from "./select-rows.js";
import { softCapOperation } from "./soft-cap.js";

const all = [
  activationOperation,
  addOperation,
  argmaxOperation,
  attentionOperation,
  attentionWeightsOperation,
  cacheWriteOperation,
  embeddingOperation,
  gatedActivationOperation,
  layerNormOperation,
  linearOperation,
  logSumExpOperation,
  rmsNormOperation,
  rotaryOperation,
  scaleOperation,
  selectRowsOperation,
  softCapOperation,
] as readonly Operation<never>[];

export const operations: ReadonlyMap<string, Operation<never>> = new Map(all.map((each) => [each.name, each]));
