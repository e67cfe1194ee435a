/**
 * How much worse a model predicts after what it wrote itself than after the truth: the loss that teacher forcing does
 * not see. Ranzato et al., 2016 (arXiv:1511.06732).
 */
import { Breather } from "../core/breathe.js";
import type { Batch, BatchShape, Dataset } from "./data/batch.js";
import { contextLengthFor, ModelResources } from "./model-resources.js";
import { Predictor } from "./predictor.js";
import { mixed } from "./scheduled-sampling.js";
import type { TrainableModel } from "./trainable-model.js";

export interface ExposureBias {
  /** Mean −ln p of the held-out tokens after the true ones, in nats. */
  readonly forced: number;
  /** The same after the model's own likeliest tokens. */
  readonly free: number;
  /** free − forced */
  readonly difference: number;
  readonly tokens: number;
}

/**
 * Measures on held-out data. The model's own texts are found by Jacobi's iteration: every pass predicts all places from
 * the texts of the pass before, and what is greedy text up to a place stays so; they are exact once nothing changes.
 *
 * @param most - tokens to measure on, from the first on; default everything
 */
export async function exposureBias(
  model: TrainableModel,
  data: Dataset,
  shape: BatchShape,
  most = Number.POSITIVE_INFINITY,
): Promise<ExposureBias> {
  const contextLength = contextLengthFor(model, shape.contextLength);
  const capacity = { tokens: shape.tokens, sourceTokens: shape.sourceTokens ?? shape.tokens, contextLength };
  const resources = new ModelResources(model, contextLength);
  const predictor = new Predictor(model, capacity, resources.all, "f32");
  const breather = new Breather();
  let [forced, free, tokens] = [0, 0, 0];
  try {
    for await (const batch of data.heldOut(shape)) {
      forced += (await predictor.predict(batch)).loss;
      free += await freeLoss(predictor, batch);
      tokens += batch.counted;
      if (tokens >= most) break;
      await breather.breathe();
    }
  } finally {
    predictor.dispose();
    resources.dispose();
  }
  return { forced: forced / tokens, free: free / tokens, difference: (free - forced) / tokens, tokens };
}

async function freeLoss(predictor: Predictor, batch: Batch): Promise<number> {
  let read = batch;
  for (;;) {
    const { loss, likeliest } = await predictor.predict(read);
    const next = mixed(batch, likeliest, () => true);
    if (next.ids.every((id, row) => id === read.ids[row])) return loss;
    read = next;
  }
}
