/* Root-mean-square normalisation of each group of a row: y = x / sqrt(mean(x^2) + eps) * weight.
 *
 * Arguments: 0 y, 1 x (rows, groups * size), 2 weight (size), 3 groups, 4 size, 5 eps (float). y may be x.
 * Squares are summed in 16 lanes, 16 elements after 16; then across lanes. Zhang & Sennrich, 2019
 * (arXiv:1910.07467). */
HH_INLINE void rms_norm_row(float *y, const float *x, const float *weight, int64_t size, float eps) {
  f32x16 squares = splat16(0.0f);
  for (int64_t i = 0; i < size; i += HH_LANES) {
    const f32x16 v = load_next(x + i, size - i);
    squares = fma16(v, v, squares);
  }
  const f32x16 factor = splat16(1.0f / __builtin_sqrtf(sum_of(squares) / (float)size + eps));
  for (int64_t i = 0; i < size; i += HH_LANES) {
    const f32x16 v = mul16(load_some(x + i, size - i), factor);
    store_some(y + i, mul16(v, load_some(weight + i, size - i)), size - i);
  }
}

static void rms_norm(const hh_call *call) {
  const hh_word *a = call->arguments;
  const int64_t size = a[4], total = a[3] * call->rows;
  const int64_t first = call->end_row > 0 ? call->first_row * a[3] : share_start(total, call->share.index, call->share.count);
  const int64_t end =
      call->end_row > 0 ? call->end_row * a[3] : share_start(total, call->share.index + 1, call->share.count);
  for (int64_t group = first; group < end; group++)
    rms_norm_row((float *)address(a[0]) + group * size, (const float *)address(a[1]) + group * size, address(a[2]), size,
                 float_argument(a[5]));
}
