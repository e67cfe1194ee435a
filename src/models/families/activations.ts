/** Activations by the names that Hugging Face configurations give them. */
import type { ActivationKind } from "../../graph/operations/activation.js";

export const publishedActivations: Readonly<Record<string, ActivationKind>> = {
  relu: "relu",
  silu: "silu",
  swish: "silu",
  gelu: "gelu",
  gelu_new: "gelu-tanh",
  gelu_fast: "gelu-tanh",
  gelu_pytorch_tanh: "gelu-tanh",
  quick_gelu: "quick-gelu",
};
