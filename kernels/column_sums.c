/* Sums over the rows of a run, in an order that follows from the number of rows alone: chunks of HH_CHUNK_ROWS rows are
 * summed on their own, each by one thread, into a row of scratch memory; then the chunks are added in order, each
 * column by one thread. */
/* Adds `count` rows, one after the other, to `sums`. */
HH_INLINE void add_rows(float *sums, const float *x, int64_t width, int64_t count) {
  for (int64_t i = 0; i < width; i += HH_LANES) {
    f32x16 sum = load_some(sums + i, width - i);
    for (int64_t row = 0; row < count; row++) sum = add16(sum, load_next(x + row * width + i, width - i));
    store_some(sums + i, sum, width - i);
  }
}

/* The sums of the columns of each chunk. Four rows at a time, so that memory is read in order.
 *
 * Arguments: 0 sums (chunks, width), 1 x (rows, width), 2 width. */
static void chunk_sums(const hh_call *call) {
  const hh_word *a = call->arguments;
  const int64_t width = a[2];
  const float *x = address(a[1]);
  const row_range rows = chunk_rows_of(call);
  for (int64_t row = rows.first; row < rows.end;) {
    float *sums = (float *)address(a[0]) + row / HH_CHUNK_ROWS * width;
    const int64_t chunk_end = (row / HH_CHUNK_ROWS + 1) * HH_CHUNK_ROWS;
    const int64_t left = (chunk_end < rows.end ? chunk_end : rows.end) - row, count = left < 4 ? 1 : 4;
    if (row % HH_CHUNK_ROWS == 0) memset(sums, 0, (size_t)width * sizeof(float));
    if (count == 4) add_rows(sums, x + row * width, width, 4);
    else add_rows(sums, x + row * width, width, 1);
    row += count;
  }
}

/* The sum of the chunks, for up to three vectors whose sums lie side by side in a chunk's row. No rows: zeros.
 *
 * Arguments: 0 sums (chunks, stride), 1 stride, 2 rows (>= 0: fixed; < 0: live[~rows]), 3 how many vectors, then for
 * each: its place in a chunk's row, y, its width, whether sums are added to y. */
static void sum_chunks(const hh_call *call) {
  const hh_word *a = call->arguments;
  const int64_t stride = a[1], chunks = chunk_count(a[2] >= 0 ? a[2] : call->live[~a[2]]);
  for (int64_t vector = 0; vector < a[3]; vector++) {
    const hh_word *of = a + 4 + 4 * vector;
    const float *sums = (const float *)address(a[0]) + of[0];
    float *y = address(of[1]);
    const int64_t width = of[2], units = (width + HH_LANES - 1) / HH_LANES;
    const int64_t end = share_start(units, call->share.index + 1, call->share.count) * HH_LANES;
    for (int64_t i = share_start(units, call->share.index, call->share.count) * HH_LANES; i < end; i += HH_LANES) {
      f32x16 sum = splat16(0.0f);
      for (int64_t chunk = 0; chunk < chunks; chunk++) sum = add16(sum, load_some(sums + chunk * stride + i, width - i));
      store_some(y + i, of[3] ? add16(load_some(y + i, width - i), sum) : sum, width - i);
    }
  }
}
