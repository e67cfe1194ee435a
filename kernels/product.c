/* C (rows, columns) = start + A (rows, k) B (k, columns): products of matrices that are not packed for good, as training
 * has them. Products of floats, or of bfloat16 with sums in float; the order of sums is in product_block.h.
 *
 * Arguments: 0 c, 1 a: rows of float, or as round_rows leaves them, 2 b in panels (pack_columns.c), 3 bias (columns) or
 * 0, 4 columns, 5 k, 6 HH_F32 or HH_BF16, 7 whether the product is added to c. */

/* Rows that share a panel while it is in the first cache. */
#define HH_PRODUCT_ROWS 128

/* A number of equal parts of `total`, each at most `largest` and but for the last a multiple of `step`: the size of one. */
HH_INLINE int64_t part_size(int64_t total, int64_t parts, int64_t largest, int64_t step) {
  int64_t size = (total + parts - 1) / parts;
  if (size > largest) size = largest;
  size = (size + step - 1) / step * step;
  return size > step ? size : step;
}

HH_INLINE int64_t parts_of(int64_t total, int64_t size) { return (total + size - 1) / size; }

/* A product without terms: what it starts from. */
static void product_empty(const product_block *p) {
  for (int64_t row = 0; row < p->rows; row++)
    for (int64_t i = 0; i < p->columns; i += HH_LANES) {
      const int64_t left = p->columns - i;
      const f32x16 start = p->start == NULL ? splat16(0.0f) : load_some(p->start + row * p->start_stride + i, left);
      store_some(p->c + row * p->c_stride + i, start, left);
    }
}

/* Shares are of blocks of rows, and of columns too where there are few rows. */
static void product(const hh_call *call) {
  const hh_word *a = call->arguments;
  const int64_t columns = a[4], k = a[5], adds = a[7];
  const int halves = a[6] == HH_BF16;
  const int64_t depth = halves ? whole_chunks(k) : k;
  const product_block whole = {
      .c = address(a[0]),
      .c_stride = columns,
      .a = address(a[1]),
      .a_stride = halves ? bfloat_stride(k) : k,
      .b = address(a[2]),
      .panel_stride = depth * HH_LANES,
      .start = adds ? address(a[0]) : address(a[3]),
      .start_stride = adds ? columns : 0,
      .rows = call->rows,
      .columns = columns,
      .k = depth,
  };
  const int64_t height = part_size(call->rows, call->share.count, HH_PRODUCT_ROWS, 32), down = parts_of(call->rows, height);
  const int64_t width = part_size(columns, parts_of(call->share.count, down), columns, 32), across = parts_of(columns, width);
  const int64_t end = share_start(down * across, call->share.index + 1, call->share.count);
  for (int64_t part = share_start(down * across, call->share.index, call->share.count); part < end; part++) {
    const int64_t row = part / across * height, column = part % across * width;
    const int64_t last_row = row + height < call->rows ? row + height : call->rows;
    const int64_t last_column = column + width < columns ? column + width : columns;
    const product_block rows = product_rows(whole, row, last_row, halves);
    const product_block block = product_columns(rows, column, last_column, halves);
    if (k == 0) product_empty(&block);
    else product_run(&block, halves);
  }
}
