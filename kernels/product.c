/* C (rows, columns) = start + A (rows, k) B (k, columns): products of matrices that are not packed for good, as training
 * has them. Products of floats, or of bfloat16 with sums in float; the order of sums is in product_block.h.
 *
 * Arguments: 0 c, or 0 where nobody reads it, 1 a: rows of float, or as round_rows leaves them, 2 b in panels
 * (pack_columns.c), 3 bias (columns) or 0, 4 columns, 5 k, 6 HH_F32 or HH_BF16, then what becomes of the product
 * (product_finish): 7 sum, 8 mode, 9 which activation, 10 x, 11 y, 12 rounded, 13 slopes, 14 sums. */

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

HH_INLINE product_finish finish_arguments(const hh_word *a) {
  return (product_finish){
      .c = address(a[0]),
      .sum = address(a[7]),
      .x = address(a[10]),
      .y = address(a[11]),
      .rounded = address(a[12]),
      .slopes = address(a[13]),
      .sums = address(a[14]),
      .stride = a[4],
      .rounded_stride = bfloat_stride(a[4]),
      .activation = a[9],
      .mode = a[8],
      .columns = a[4],
  };
}

/* One part: rows [row, last_row) and columns [column, last_column) of the whole. */
HH_INLINE void product_one(const product_block *whole, product_finish finish, int64_t row, int64_t last_row,
                           int64_t column, int64_t last_column, const int halves) {
  const product_block rows = product_rows(*whole, row, last_row, halves);
  const product_block block = product_columns(rows, column, last_column, halves);
  if (finish.c != NULL && finish.sum == NULL && finish.mode == HH_FINISH_STORED && finish.rounded == NULL && finish.sums == NULL) {
    product_run(&block, halves);
    return;
  }
  finish.row = row;
  finish.column = column;
  product_run_finished(&block, &finish, halves);
}

/* Shares are of blocks of rows, and of columns too where there are few rows. */
static void product(const hh_call *call) {
  const hh_word *a = call->arguments;
  const int64_t columns = a[4], k = a[5];
  const int halves = a[6] == HH_BF16;
  const int64_t depth = halves ? whole_chunks(k) : k;
  const product_block whole = {
      .c = address(a[0]),
      .c_stride = columns,
      .a = address(a[1]),
      .a_stride = halves ? bfloat_stride(k) : k,
      .b = address(a[2]),
      .panel_stride = depth * HH_LANES,
      .start = address(a[3]),
      .rows = call->rows,
      .columns = columns,
      .k = depth,
  };
  const int64_t height = part_size(call->rows, call->share.count, HH_PRODUCT_ROWS, 32), down = parts_of(call->rows, height);
  const int64_t width = part_size(columns, parts_of(call->share.count, down), columns, 64), across = parts_of(columns, width);
  const int64_t end = share_start(down * across, call->share.index + 1, call->share.count);
  for (int64_t part = share_start(down * across, call->share.index, call->share.count); part < end; part++) {
    const int64_t row = part / across * height, column = part % across * width;
    const int64_t last_row = row + height < call->rows ? row + height : call->rows;
    const int64_t last_column = column + width < columns ? column + width : columns;
    if (halves) product_one(&whole, finish_arguments(a), row, last_row, column, last_column, 1);
    else product_one(&whole, finish_arguments(a), row, last_row, column, last_column, 0);
  }
}
