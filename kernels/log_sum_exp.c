/* ln of the sum of exponentials of each row, and its gradient, the softmax.
 *
 * Exponentials of (x - largest) are summed in 16 lanes, 16 elements after 16; then across lanes. */
typedef struct {
  f32x16 largest; /* in every lane */
  float sum;      /* of e^(x - largest) */
} row_exponentials;

HH_INLINE row_exponentials row_exponentials_of(const float *x, int64_t width) {
  /* Lanes beyond the row hold -infinity. */
  const int64_t whole = width / HH_LANES * HH_LANES;
  float rest[HH_LANES];
  for (int64_t i = 0; i < HH_LANES; i++) rest[i] = whole + i < width ? x[whole + i] : -__builtin_inff();
  f32x16 largest = load16(rest), sum;
  for (int64_t i = 0; i < whole; i += HH_LANES) largest = max16(largest, load16(x + i));
  largest = splat16(largest_of(largest));
  sum = splat16(0.0f);
  for (int64_t i = 0; i < whole; i += HH_LANES) sum = add16(sum, exp16(sub16(load16(x + i), largest)));
  sum = add16(sum, exp16(sub16(load16(rest), largest)));
  return (row_exponentials){largest, sum_of(sum)};
}

/* Arguments: 0 y (rows), 1 x (rows, width), 2 width. */
static void log_sum_exp(const hh_call *call) {
  const hh_word *a = call->arguments;
  float *y = address(a[0]);
  const int64_t width = a[2];
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t row = share_start(call->rows, call->share.index, call->share.count); row < end; row++) {
    const row_exponentials found = row_exponentials_of((const float *)address(a[1]) + row * width, width);
    float lanes[HH_LANES];
    store16(lanes, add16(found.largest, log16(splat16(found.sum))));
    y[row] = lanes[0];
  }
}

/* dx = dy e^(x - largest) / sum. Arguments: 0 dx (rows, width), 1 x, 2 width, 3 dy (rows). dx may be x. */
static void log_sum_exp_gradient(const hh_call *call) {
  const hh_word *a = call->arguments;
  const float *dy = address(a[3]);
  const int64_t width = a[2];
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t row = share_start(call->rows, call->share.index, call->share.count); row < end; row++) {
    float *dx = (float *)address(a[0]) + row * width;
    const float *x = (const float *)address(a[1]) + row * width;
    const row_exponentials found = row_exponentials_of(x, width);
    const f32x16 factor = splat16(dy[row] / found.sum);
    for (int64_t i = 0; i < width; i += HH_LANES) {
      const f32x16 e = exp16(sub16(load_some(x + i, width - i), found.largest));
      store_some(dx + i, mul16(e, factor), width - i);
    }
  }
}
