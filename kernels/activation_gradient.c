/* Gradients of operations on each element alone: activation, gated activation, soft cap.
 *
 * Arguments: 0 dx (or dgate), 1 x (or gate), 2 dy, 3 elements in a row, 4 which activation (or 0), 5 cap (float), 6 up,
 * 7 dup. Results may be any of the operands. */
static void activation_gradient(const hh_call *call) {
  const hh_word *a = call->arguments;
  float *dx = address(a[0]);
  const float *x = address(a[1]), *dy = address(a[2]);
  const int64_t kind = a[4];
  EACH_ELEMENT(elements_of(call, a[3])) {
    const f32x16 slope = activation_slope16(kind, load_next(x + i, left));
    store_some(dx + i, mul16(load_next(dy + i, left), slope), left);
  }
}

static void gated_activation_gradient(const hh_call *call) {
  const hh_word *a = call->arguments;
  float *dgate = address(a[0]), *dup = address(a[7]);
  const float *gate = address(a[1]), *dy = address(a[2]), *up = address(a[6]);
  const int64_t kind = a[4];
  EACH_ELEMENT(elements_of(call, a[3])) {
    const f32x16 x = load_next(gate + i, left), d = load_next(dy + i, left), second = load_next(up + i, left);
    store_some(dgate + i, mul16(mul16(d, second), activation_slope16(kind, x)), left);
    store_some(dup + i, mul16(d, activate16(kind, x)), left);
  }
}

/* The derivative of cap tanh(u), u = x / cap, is 1 - tanh^2: made of e^(-2|u|), which loses nothing where tanh is near 1. */
static void soft_cap_gradient(const hh_call *call) {
  const hh_word *a = call->arguments;
  float *dx = address(a[0]);
  const float *x = address(a[1]), *dy = address(a[2]);
  const f32x16 cap = splat16(float_argument(a[5])), one = splat16(1.0f);
  EACH_ELEMENT(elements_of(call, a[3])) {
    const f32x16 e = exp16(mul16(abs16(div16(load_next(x + i, left), cap)), splat16(-2.0f)));
    const f32x16 inverse = div16(one, add16(one, e)), slope = mul16(mul16(splat16(4.0f), e), mul16(inverse, inverse));
    store_some(dx + i, mul16(load_next(dy + i, left), slope), left);
  }
}
