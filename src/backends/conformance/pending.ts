/** What the CPU backend does not have yet, and the suite leaves out there: operations, or parts of them. */
export const pendingOnCpu: ReadonlySet<string> = new Set([
  // Products.
  "matmul",
  "linear: plain weights",
  "accumulate: matmul",
  // Attention and losses.
  "sequence-attention",
  "sequence-attention-gradient",
  "cross-entropy",
  "cross-entropy-gradient",
  // Row by row.
  "accumulate",
  "activation-gradient",
  "adamw",
  "apply-update",
  "column-sums",
  "dropout",
  "embedding-gradient",
  "gated-activation-gradient",
  "layer-norm-gradient",
  "lion",
  "log-sum-exp-gradient",
  "momentum",
  "moving-average",
  "rms-norm-gradient",
  "rotary: inverse",
  "row-squares",
  "scatter-rows",
  "sgd",
  "soft-cap-gradient",
]);
