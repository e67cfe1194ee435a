/** Groups of keys that say how to learn: batches, optimizers, schedules, and what keeps a model from learning by heart. */
import {
  choice,
  flag,
  fraction,
  group,
  listOf,
  notNegative,
  number,
  oneOf,
  optional,
  positive,
  required,
  text,
  whole,
  withDefault,
} from "./kinds.js";

export const batch = group({
  tokens: withDefault(whole(1), 8192, "tokens that one optimizer step learns from (pairs: of the target side)"),
  microBatchTokens: optional(
    whole(1),
    "as many as `tokens`",
    "tokens computed with at once; gradients are summed over as many runs as a step needs; less takes less memory",
  ),
  contextLength: required(whole(1), "longest sequence, in tokens; longer texts are cut, longer pairs left out"),
  sourceTokens: optional(whole(1), "as many as `microBatchTokens`", "pairs: most source tokens computed with at once"),
});

const share = number("from 0 to 1", (value) => value >= 0 && value <= 1);
const learningRate = (value: number) => withDefault(positive, value, "step size at its highest, per update");
const weightDecay = (value: number) =>
  withDefault(notNegative, value, "share of each matrix that is taken away per update, times the learning rate");
const clipNorm = withDefault(notNegative, 1, "longest gradient (Euclidean norm of all of it); 0: never shortened");
const beta1 = withDefault(fraction, 0.9, "decay of the mean of gradients, per update");
const beta2 = (value: number) => withDefault(fraction, value, "decay of the mean of squared gradients, per update");
const eps = withDefault(positive, 1e-8, "added to the root of the mean square");
const momentum = (value: number) => withDefault(fraction, value, "decay of the sum of gradients, per update");
const nesterov = (value: boolean) => withDefault(flag, value, "look one update ahead (Nesterov)");

export const optimizer = choice(
  {
    adamw: {
      doc: "Adam with decoupled weight decay (Loshchilov & Hutter, arXiv:1711.05101)",
      fields: {
        learningRate: learningRate(1e-3),
        beta1,
        beta2: beta2(0.99),
        eps,
        weightDecay: weightDecay(0.1),
        clipNorm,
      },
    },
    adam: {
      doc: "Adam (Kingma & Ba, arXiv:1412.6980)",
      fields: { learningRate: learningRate(1e-3), beta1, beta2: beta2(0.999), eps, clipNorm },
    },
    sgd: {
      doc: "stochastic gradient descent with momentum",
      fields: {
        learningRate: learningRate(0.1),
        momentum: momentum(0.9),
        nesterov: nesterov(false),
        weightDecay: weightDecay(0),
        clipNorm,
      },
    },
    lion: {
      doc: "sign of an interpolated momentum (Chen et al., arXiv:2302.06675)",
      fields: { learningRate: learningRate(1e-4), beta1, beta2: beta2(0.99), weightDecay: weightDecay(1), clipNorm },
    },
    muon: {
      doc: "orthogonalised momentum for hidden matrices, AdamW for the rest (Jordan et al., 2024)",
      fields: {
        learningRate: learningRate(0.02),
        momentum: momentum(0.95),
        nesterov: nesterov(true),
        weightDecay: weightDecay(0.1),
        adamwLearningRate: withDefault(positive, 1e-3, "step size at its highest of AdamW, for the rest"),
        beta1,
        beta2: beta2(0.99),
        clipNorm,
      },
    },
  },
  "adamw",
);

const steps = required(whole(1), "optimizer steps in all");
const warmupSteps = withDefault(whole(0), 0, "steps in which the learning rate rises from 0, linearly");
const finalFraction = (value: number) => withDefault(share, value, "share of the learning rate at the end");

export const schedule = choice(
  {
    constant: { doc: "the learning rate stays", fields: { steps, warmupSteps } },
    cosine: {
      doc: "falls along half a cosine (Loshchilov & Hutter, arXiv:1608.03983)",
      fields: { steps, warmupSteps, finalFraction: finalFraction(0.1) },
    },
    linear: { doc: "falls in a straight line", fields: { steps, warmupSteps, finalFraction: finalFraction(0) } },
    "inverse-sqrt": {
      doc: "falls as 1/√step after the warm-up (Vaswani et al., arXiv:1706.03762)",
      fields: {
        steps,
        warmupSteps: withDefault(whole(1), 4000, "steps in which the learning rate rises from 0, linearly"),
      },
    },
    wsd: {
      doc: "warm-up, stable, decay: stays, then falls at the end (Hu et al., arXiv:2404.06395)",
      fields: {
        steps,
        warmupSteps,
        decaySteps: optional(whole(1), "a fifth of `steps`", "steps at the end in which it falls, linearly"),
        finalFraction: finalFraction(0),
      },
    },
  },
  "cosine",
);

const scheduledSampling = choice({
  linear: {
    doc: "the share of true tokens falls in a straight line",
    fields: {
      floor: withDefault(share, 0, "least share of true tokens"),
      slope: required(positive, "how much the share falls per step"),
    },
  },
  exponential: { doc: "share = base^step", fields: { base: required(fraction, "factor on the share per step") } },
  "inverse-sigmoid": {
    doc: "share = k / (k + exp(step / k))",
    fields: {
      k: required(
        number("from 1 on", (value) => value >= 1),
        "steps; larger falls later",
      ),
    },
  },
});

export const regularisation = group({
  dropout: withDefault(fraction, 0, "share of activations set to 0, after embeddings, attention and feed-forward"),
  labelSmoothing: withDefault(fraction, 0, "share of the target's probability that is spread over the vocabulary"),
  zLoss: withDefault(
    notNegative,
    0,
    "weight of (log of the sum of exponentials)² in the loss, which keeps logits small",
  ),
  weightAverage: withDefault(
    fraction,
    0,
    "decay per step of a moving average of the weights, which is what is evaluated and kept; 0: none",
  ),
  scheduledSampling: optional(
    scheduledSampling,
    "teacher forcing: every input token is the true one",
    "share of the decoder's inputs that are true tokens, the others the likeliest by the model, found in a pass of its own (Mihaylova & Martins, arXiv:1906.07651)",
  ),
});

export const evaluation = group({
  everySteps: withDefault(
    whole(1),
    250,
    "steps between two measures of the loss on held-out data; the last step is always measured",
  ),
  tokens: optional(whole(1), "everything that is held out", "held-out tokens to measure on, from the first on"),
});

export const samples = group({
  everySteps: withDefault(whole(0), 500, "steps between two samples; 0: none"),
  prompts: withDefault(
    listOf({ ...text, allowed: "a text", read: (value, key) => (value === "" ? "" : text.read(value, key)) }),
    "",
    "what samples continue, or translate; one after the other in turn",
  ),
  maxTokens: withDefault(whole(1), 100, "tokens in a sample at most"),
  temperature: withDefault(notNegative, 0.8, "divides the scores; 0 takes the likeliest token"),
});

export const checkpoints = group({
  everySteps: withDefault(whole(1), 250, "steps between two checkpoints; stopping and the last step always make one"),
  keep: withDefault(whole(1), 2, "how many of the newest are kept; that with the least held-out loss always is"),
  model: withDefault(
    oneOf(["last", "best"]),
    "last",
    "which weights the run's model/ gets: those of the last step, or those with the least held-out loss",
  ),
});

export const lora = group({
  rank: withDefault(whole(1), 8, "inner size of each pair of matrices"),
  alpha: withDefault(positive, 16, "the pair's product counts alpha / rank"),
  targets: optional(
    listOf(text),
    "the projections of queries and values",
    'which linear maps learn: names as in the checkpoint, or "all"',
  ),
  dropout: withDefault(fraction, 0, "share of the inputs of the pair set to 0"),
});

export const hardware = group({
  backend: optional(oneOf(["native", "wasm", "reference"]), "native where it was built, else wasm", "what computes"),
  threads: optional(whole(1, 64), "one per core", "threads to compute with"),
  instructionSet: optional(text, "the best that is present", 'a lower one, such as "avx2"'),
  precision: optional(
    oneOf(["bf16", "f32"]),
    "bf16 where the processor multiplies it, else f32",
    "of matrix products' operands; sums and weights are f32 always",
  ),
  recompute: withDefault(flag, false, "compute blocks again in the backward pass: about a third slower, less memory"),
});
