export const publishedActivations = {
    relu: "relu",
    silu: "silu",
    swish: "silu",
    gelu: "gelu",
    gelu_new: "gelu-tanh",
    gelu_fast: "gelu-tanh",
    gelu_pytorch_tanh: "gelu-tanh",
    quick_gelu: "quick-gelu",
};
