/* Layer normalisation of each row: y = (x - mean) / sqrt(variance + eps) * weight + bias.
 *
 * Arguments: 0 y, 1 x (rows, width), 2 weight (width), 3 bias (width) or 0, 4 width, 5 eps (float). y may be x.
 * Two passes, each summed in 16 lanes, 16 elements after 16; then across lanes. Ba et al., 2016
 * (arXiv:1607.06450). */
HH_INLINE void layer_norm_row(float *y, const float *x, const float *weight, const float *bias, int64_t width, float eps) {
  f32x16 sum = splat16(0.0f), squares = splat16(0.0f);
  for (int64_t i = 0; i < width; i += HH_LANES) sum = add16(sum, load_next(x + i, width - i));
  const f32x16 mean = splat16(sum_of(sum) / (float)width);
  for (int64_t i = 0; i < width; i += HH_LANES) {
    f32x16 v = sub16(load_some(x + i, width - i), mean);
    if (width - i < HH_LANES) { /* lanes beyond the row count nothing */
      const f32x16 lane = count_from(0.0f), count = splat16((float)(width - i));
      v = where_less(lane, count, v, splat16(0.0f));
    }
    squares = fma16(v, v, squares);
  }
  const f32x16 factor = splat16(1.0f / __builtin_sqrtf(sum_of(squares) / (float)width + eps));
  for (int64_t i = 0; i < width; i += HH_LANES) {
    const f32x16 v = mul16(sub16(load_some(x + i, width - i), mean), factor);
    const f32x16 shift = bias ? load_some(bias + i, width - i) : splat16(0.0f);
    store_some(y + i, fma16(v, load_some(weight + i, width - i), shift), width - i);
  }
}

static void layer_norm(const hh_call *call) {
  const hh_word *a = call->arguments;
  const int64_t width = a[4];
  const row_range rows = rows_of(call);
  for (int64_t row = rows.first; row < rows.end; row++)
    layer_norm_row((float *)address(a[0]) + row * width, (const float *)address(a[1]) + row * width, address(a[2]),
                   address(a[3]), width, float_argument(a[5]));
}
