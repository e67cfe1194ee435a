/* Blocks of products of matrices: C (rows, columns) = start + A (rows, k) B (k, columns), with B in panels
 * (pack_columns.c).
 *
 * Of floats each element is a chain of fused multiply-adds over k = 0, 1, 2, ..., as in linear_float.h. Of bfloat16, for
 * every 32 of k, a chain of the products at even k and one at odd k, both from zero; their sum is added to the element.
 * That is what AMX does (Intel 64 and IA-32 Architectures Software Developer's Manual, TDPBF16PS), so the bits are the
 * same on every instruction set with fused multiply-add, but for numbers below 2^-126, which AMX takes for zero. */

/* Strides are in elements. */
typedef struct {
  float *c;
  int64_t c_stride;
  const void *a; /* rows of float, or of bfloat16 with zeros up to a multiple of 32 */
  int64_t a_stride;
  const void *b; /* the first panel, at the first of k */
  int64_t panel_stride;
  const float *start; /* what the first sum starts from: stride 0, a bias; NULL, zero */
  int64_t start_stride;
  int64_t rows, columns, k;
} product_block;

static void product_floats(const product_block *p) {
  const linear_call l = {p->c, p->a, p->b, p->start, p->columns, p->k,
                         p->c_stride, p->a_stride, p->start_stride, p->panel_stride};
  linear_f32_block(&l, p->rows, 0, (p->columns + HH_LANES - 1) / HH_LANES);
}

#if defined(__AMX_BF16__)
#include "product_amx.h"
#else
/* Rows whose sums at even and at odd k stay in registers, for one panel. */
#if HH_WIDTH == 16
#define HH_BFLOAT_ROWS 8
#else
#define HH_BFLOAT_ROWS 3
#endif

HH_INLINE void bfloat_tile(const product_block *p, int64_t row, int64_t column, const int rows) {
  const uint16_t *a = (const uint16_t *)p->a + row * p->a_stride;
  const uint16_t *b = (const uint16_t *)p->b + column / HH_LANES * p->panel_stride;
  const int64_t count = p->columns - column;
  const i32x16 upper = splat_int((int32_t)0xffff0000);
  f32x16 sum[HH_BFLOAT_ROWS];
  HH_UNROLL for (int r = 0; r < rows; r++)
    sum[r] = p->start == NULL ? splat16(0.0f) : load_some(p->start + (row + r) * p->start_stride + column, count);
  for (int64_t chunk = 0; chunk < p->k; chunk += 32) {
    f32x16 even[HH_BFLOAT_ROWS], odd[HH_BFLOAT_ROWS];
    HH_UNROLL for (int r = 0; r < rows; r++) even[r] = odd[r] = splat16(0.0f);
    for (int64_t k = chunk; k < chunk + 32; k += 2) {
      const i32x16 pair = load_ints(b + k * HH_LANES);
      const f32x16 first = of_bits(shift_left(pair, 16)), second = of_bits(and_int(pair, upper));
      HH_UNROLL for (int r = 0; r < rows; r++) {
        uint32_t of_row;
        memcpy(&of_row, a + r * p->a_stride + k, sizeof of_row);
        even[r] = fma16(splat16(float_of_bits(of_row << 16)), first, even[r]);
        odd[r] = fma16(splat16(float_of_bits(of_row & 0xffff0000)), second, odd[r]);
      }
    }
    HH_UNROLL for (int r = 0; r < rows; r++) sum[r] = add16(sum[r], add16(even[r], odd[r]));
  }
  HH_UNROLL for (int r = 0; r < rows; r++) store_some(p->c + (row + r) * p->c_stride + column, sum[r], count);
}

static void product_bfloats(const product_block *p) {
  for (int64_t column = 0; column < p->columns; column += HH_LANES) {
    int64_t row = 0;
    for (; row + HH_BFLOAT_ROWS <= p->rows; row += HH_BFLOAT_ROWS) bfloat_tile(p, row, column, HH_BFLOAT_ROWS);
    for (; row < p->rows; row++) bfloat_tile(p, row, column, 1);
  }
}
#endif

/* Columns [from, to) of the block, from a multiple of 16. */
HH_INLINE product_block product_columns(product_block p, int64_t from, int64_t to, const int halves) {
  p.b = (const char *)p.b + from / HH_LANES * p.panel_stride * (halves ? 2 : 4);
  p.c += from;
  if (p.start != NULL) p.start += from;
  p.columns = to - from;
  return p;
}

/* Rows [from, to) of the block. */
HH_INLINE product_block product_rows(product_block p, int64_t from, int64_t to, const int halves) {
  p.a = (const char *)p.a + from * p.a_stride * (halves ? 2 : 4);
  p.c += from * p.c_stride;
  if (p.start != NULL) p.start += from * p.start_stride;
  p.rows = to - from;
  return p;
}

HH_INLINE void product_run(const product_block *p, const int halves) {
  if (halves) product_bfloats(p);
  else product_floats(p);
}
