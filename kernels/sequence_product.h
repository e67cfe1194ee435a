/* Products of small matrices that lie anywhere, in float32: what attention while training is made of. */
#ifndef HH_SEQUENCE_PRODUCT_H
#define HH_SEQUENCE_PRODUCT_H

#include "lanes.h"

/* Rows and vectors of 16 columns of a tile of sums. */
#if HH_WIDTH == 16
#define HH_SEQUENCE_SIDE_ROWS 8
#define HH_SEQUENCE_SIDE_VECTORS 2
#elif HH_WIDTH == 8
#define HH_SEQUENCE_SIDE_ROWS 4
#define HH_SEQUENCE_SIDE_VECTORS 1
#else
#define HH_SEQUENCE_SIDE_ROWS 2
#define HH_SEQUENCE_SIDE_VECTORS 1
#endif

/* c (rows, width) = sum over k < depth of a (row, k) * b (k, column), or is added to what c holds. All strides are in
 * elements; rows of b may be read beyond their end, not used. */
typedef struct {
  float *c;
  int64_t c_row;
  const float *a;
  int64_t a_row, a_step; /* from row to row, from k to k */
  const float *b;
  int64_t b_row;
  int64_t rows, depth, width;
  int64_t add;
} sequence_product;

/* One tile: each sum is a chain of fused multiply-adds over k = 0, 1, 2, ... that starts from 0 or from c. */
HH_INLINE void sequence_multiply_tile(const sequence_product *p, int64_t row, int64_t column, const int rows, const int vectors) {
  f32x16 sum[HH_SEQUENCE_SIDE_ROWS][HH_SEQUENCE_SIDE_VECTORS];
  const float *a = p->a + row * p->a_row, *b = p->b + column;
  float *c = p->c + row * p->c_row + column;
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int v = 0; v < vectors; v++)
      sum[r][v] = p->add ? load_some(c + r * p->c_row + v * HH_LANES, p->width - column - v * HH_LANES) : splat16(0.0f);
  for (int64_t k = 0; k < p->depth; k++) {
    f32x16 from[HH_SEQUENCE_SIDE_VECTORS];
    HH_UNROLL for (int v = 0; v < vectors; v++) from[v] = load16(b + v * HH_LANES);
    HH_UNROLL for (int r = 0; r < rows; r++) {
      const f32x16 value = splat16(a[r * p->a_row]);
      HH_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = fma16(value, from[v], sum[r][v]);
    }
    a += p->a_step, b += p->b_row;
  }
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int v = 0; v < vectors; v++)
      store_some(c + r * p->c_row + v * HH_LANES, sum[r][v], p->width - column - v * HH_LANES);
}

HH_INLINE void sequence_multiply_rows(const sequence_product *p, int64_t column, const int vectors) {
  int64_t row = 0;
  for (; row + HH_SEQUENCE_SIDE_ROWS <= p->rows; row += HH_SEQUENCE_SIDE_ROWS) sequence_multiply_tile(p, row, column, HH_SEQUENCE_SIDE_ROWS, vectors);
#if HH_SEQUENCE_SIDE_ROWS > 4
  if (row + 4 <= p->rows) {
    sequence_multiply_tile(p, row, column, 4, vectors);
    row += 4;
  }
#endif
#if HH_SEQUENCE_SIDE_ROWS > 2
  if (row + 2 <= p->rows) {
    sequence_multiply_tile(p, row, column, 2, vectors);
    row += 2;
  }
#endif
  if (row < p->rows) sequence_multiply_tile(p, row, column, 1, vectors);
}

static void sequence_multiply(const sequence_product *p) {
  int64_t column = 0;
#if HH_SEQUENCE_SIDE_VECTORS > 1
  for (; column + HH_LANES < p->width; column += 2 * HH_LANES) sequence_multiply_rows(p, column, 2);
#endif
  for (; column < p->width; column += HH_LANES) sequence_multiply_rows(p, column, 1);
}

/* to (columns, 16 * ceil(rows / 16)) = the transpose of from (rows, columns); rows that are not there become zeros. */
static void sequence_transpose(float *to, int64_t to_row, const float *from, int64_t from_row, int64_t rows,
                               int64_t columns) {
  for (int64_t first = 0; first < rows; first += HH_LANES)
    for (int64_t column = 0; column < columns; column++) {
      float *y = to + column * to_row + first;
      for (int64_t r = 0; r < HH_LANES; r++) y[r] = first + r < rows ? from[(first + r) * from_row + column] : 0.0f;
    }
}

#endif
