/** Every operation, by name. A backend is finished when it runs all of these as their definitions say. */
import type { Operation } from "../operation.js";
import { accumulateOperation } from "./accumulate.js";
import { activationOperation } from "./activation.js";
import { addOperation } from "./add.js";
import { argmaxOperation } from "./argmax.js";
import { attentionOperation } from "./attention.js";
import { attentionWeightsOperation } from "./attention-weights.js";
import { cacheWriteOperation } from "./cache-write.js";
import { columnSumsOperation } from "./column-sums.js";
import { crossEntropyOperation } from "./cross-entropy.js";
import { dropoutOperation } from "./dropout.js";
import { embeddingOperation } from "./embedding.js";
import { gatedActivationOperation } from "./gated-activation.js";
import { activationGradientOperation } from "./gradients/activation-gradient.js";
import { crossEntropyGradientOperation } from "./gradients/cross-entropy-gradient.js";
import { embeddingGradientOperation } from "./gradients/embedding-gradient.js";
import { gatedActivationGradientOperation } from "./gradients/gated-activation-gradient.js";
import { layerNormGradientOperation } from "./gradients/layer-norm-gradient.js";
import { logSumExpGradientOperation } from "./gradients/log-sum-exp-gradient.js";
import { rmsNormGradientOperation } from "./gradients/rms-norm-gradient.js";
import { scatterRowsOperation } from "./gradients/scatter-rows.js";
import { sequenceAttentionGradientOperation } from "./gradients/sequence-attention-gradient.js";
import { softCapGradientOperation } from "./gradients/soft-cap-gradient.js";
import { layerNormOperation } from "./layer-norm.js";
import { linearOperation } from "./linear.js";
import { logSumExpOperation } from "./log-sum-exp.js";
import { matmulOperation } from "./matmul.js";
import { adamWOperation } from "./optimizers/adamw.js";
import { applyUpdateOperation } from "./optimizers/apply-update.js";
import { lionOperation } from "./optimizers/lion.js";
import { momentumOperation } from "./optimizers/momentum.js";
import { movingAverageOperation } from "./optimizers/moving-average.js";
import { sgdOperation } from "./optimizers/sgd.js";
import { rmsNormOperation } from "./rms-norm.js";
import { rotaryOperation } from "./rotary.js";
import { rowSquaresOperation } from "./row-squares.js";
import { scaleOperation } from "./scale.js";
import { selectRowsOperation } from "./select-rows.js";
import { sequenceAttentionOperation } from "./sequence-attention.js";
import { softCapOperation } from "./soft-cap.js";
import { unitNormOperation } from "./unit-norm.js";

const all = [
  accumulateOperation,
  activationOperation,
  addOperation,
  argmaxOperation,
  attentionWeightsOperation,
  attentionOperation,
  cacheWriteOperation,
  columnSumsOperation,
  crossEntropyOperation,
  dropoutOperation,
  embeddingOperation,
  gatedActivationOperation,
  activationGradientOperation,
  crossEntropyGradientOperation,
  embeddingGradientOperation,
  gatedActivationGradientOperation,
  layerNormGradientOperation,
  logSumExpGradientOperation,
  rmsNormGradientOperation,
  scatterRowsOperation,
  sequenceAttentionGradientOperation,
  softCapGradientOperation,
  layerNormOperation,
  linearOperation,
  logSumExpOperation,
  matmulOperation,
  adamWOperation,
  applyUpdateOperation,
  lionOperation,
  momentumOperation,
  movingAverageOperation,
  sgdOperation,
  rmsNormOperation,
  rotaryOperation,
  rowSquaresOperation,
  scaleOperation,
  selectRowsOperation,
  sequenceAttentionOperation,
  softCapOperation,
  unitNormOperation,
] as readonly Operation<never>[];

export const operations: ReadonlyMap<string, Operation<never>> = new Map(all.map((each) => [each.name, each]));
