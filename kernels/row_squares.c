/* The sum of the squares of each row, in 16 lanes, 16 elements after 16; then across lanes.
 *
 * Arguments: 0 y (rows), 1 x (rows, width), 2 width. */
static void row_squares(const hh_call *call) {
  const hh_word *a = call->arguments;
  float *y = address(a[0]);
  const int64_t width = a[2];
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t row = share_start(call->rows, call->share.index, call->share.count); row < end; row++) {
    const float *x = (const float *)address(a[1]) + row * width;
    f32x16 sum = splat16(0.0f);
    for (int64_t i = 0; i < width; i += HH_LANES) {
      const f32x16 v = load_next(x + i, width - i);
      sum = fma16(v, v, sum);
    }
    y[row] = sum_of(sum);
  }
}
