/* Gradients of operations that pick rows: rows are added where they came from, in order. Shares are of columns, so that
 * each sum has one thread. */

/* Arguments: 0 y (table rows, width), 1 ids (rows), 2 dy (rows, width), 3 width, 4 scale (float), 5 table rows, 6 rows of
 * dy (>= 0: fixed; < 0: live[~rows]), 7 whether dy is added to y; otherwise the rest of y is zero. An instruction of one
 * row. */
static void embedding_gradient(const hh_call *call) {
  const hh_word *a = call->arguments;
  const int32_t *ids = address(a[1]);
  const int64_t width = a[3], units = (width + HH_LANES - 1) / HH_LANES;
  const int64_t rows = a[6] >= 0 ? a[6] : call->live[~a[6]], table_rows = a[5] >= 0 ? a[5] : call->live[~a[5]];
  const f32x16 factor = splat16(float_argument(a[4]));
  const int64_t from = share_start(units, call->share.index, call->share.count) * HH_LANES;
  int64_t to = share_start(units, call->share.index + 1, call->share.count) * HH_LANES;
  if (to > width) to = width;
  if (from >= to) return;
  if (!a[7])
    for (int64_t row = 0; row < table_rows; row++)
      memset((float *)address(a[0]) + row * width + from, 0, (size_t)(to - from) * sizeof(float));
  for (int64_t row = 0; row < rows; row++) {
    float *y = (float *)address(a[0]) + ids[row] * width;
    const float *dy = (const float *)address(a[2]) + row * width;
    for (int64_t i = from; i < to; i += HH_LANES)
      store_some(y + i, fma16(load_some(dy + i, to - i), factor, load_some(y + i, to - i)), to - i);
  }
}
