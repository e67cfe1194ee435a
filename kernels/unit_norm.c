/* A whole matrix divided by its Euclidean norm: y = x / (|x| + 1e-7).
 *
 * Arguments: 0 y, 1 x, 2 elements. Every thread sums all squares by itself, in the same order: 16 lanes over 1024
 * elements, across lanes, then one such sum after another in double precision; and divides its own elements. */
HH_INLINE float inverse_norm(const float *x, int64_t elements) {
  double total = 0.0;
  for (int64_t first = 0; first < elements; first += 1024) {
    const int64_t end = first + 1024 < elements ? first + 1024 : elements;
    f32x16 squares = splat16(0.0f);
    for (int64_t i = first; i < end; i += HH_LANES) {
      const f32x16 v = load_some(x + i, end - i);
      squares = fma16(v, v, squares);
    }
    total += (double)sum_of(squares);
  }
  return (float)(1.0 / (__builtin_sqrt(total) + 1e-7));
}

static void unit_norm(const hh_call *call) {
  const hh_word *a = call->arguments;
  float *y = address(a[0]);
  const float *x = address(a[1]);
  const f32x16 factor = splat16(inverse_norm(x, a[2]));
  EACH_ELEMENT(stretch_of(call, a[2]))
    store_some(y + i, mul16(load_some(x + i, left), factor), left);
}
