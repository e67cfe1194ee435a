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

/* What becomes of a product beside or instead of being stored, while a block of it is near. All are whole matrices,
 * and where they are NULL nobody wants them. The product has a sum added, is stored in c, is activated or multiplied by
 * an activation's slope, is then stored in y, added to the sums of its columns, and rounded as round_rows would. The
 * slope is that at x, or was left rounded to bfloat16 by what was activated (KEEPING) for what is multiplied (KEPT). */
enum { HH_FINISH_STORED, HH_FINISH_ACTIVATED, HH_FINISH_SLOPED, HH_FINISH_KEEPING, HH_FINISH_KEPT };
typedef struct {
  float *c;
  const float *sum; /* may be c */
  const float *x;
  float *y;
  uint16_t *rounded, *slopes;
  float *sums; /* (chunks of rows, columns), as chunk_sums leaves them */
  int64_t stride, rounded_stride, activation, mode;
  int64_t row, column, columns; /* where the block begins; columns of the matrices */
} product_finish;

/* Brings nearer what the columns that follow in a row need: caches do not see so many rows coming. */
HH_INLINE void product_finish_ahead(const product_finish *f, int64_t row, int64_t column, const int mode) {
  const int64_t place = row * f->stride + column;
  if (column >= f->columns) return;
  for (int64_t i = 0; i < 32; i += HH_LANES) {
    if (mode == HH_FINISH_SLOPED) __builtin_prefetch(f->x + place + i);
    if (f->sum != NULL) __builtin_prefetch(f->sum + place + i);
    if (f->c != NULL) __builtin_prefetch(f->c + place + i, 1);
  }
  const int64_t rounded = row * f->rounded_stride + column;
  if (f->rounded != NULL) __builtin_prefetch(f->rounded + rounded, 1);
  if (mode == HH_FINISH_KEEPING) __builtin_prefetch(f->slopes + rounded, 1);
  if (mode == HH_FINISH_KEPT) __builtin_prefetch(f->slopes + rounded);
}

/* Adds sixteen elements of a row to the sums of its chunk. Rows of a chunk come in order. */
HH_INLINE void product_add_to_sums(const product_finish *f, f32x16 v, int64_t row, int64_t column, int64_t left) {
  float *sums = f->sums + row / HH_CHUNK_ROWS * f->columns + column;
  store_some(sums, add16(row % HH_CHUNK_ROWS == 0 ? splat16(0.0f) : load_some(sums, left), v), left);
}

/* Finishes `width` products of a row, in whole lanes. What lies beyond the columns is rounded to zero. */
HH_INLINE void product_finish_row(const product_finish *f, const float *values, int64_t row, int64_t column,
                                  const int64_t width, const int mode) {
  const int64_t at = row * f->stride, rounded = row * f->rounded_stride + column;
  HH_UNROLL for (int64_t i = 0; i < width; i += HH_LANES) {
    const int64_t left = f->columns - column - i, place = at + column + i;
    f32x16 v = splat16(0.0f);
    if (left > 0) {
      v = load16(values + i);
      if (f->sum != NULL) v = add16(load_some(f->sum + place, left), v);
      if (f->c != NULL) store_some(f->c + place, v, left);
      if (mode == HH_FINISH_ACTIVATED) v = activate16(f->activation, v);
      if (mode == HH_FINISH_SLOPED) v = mul16(v, activation_slope16(f->activation, load_some(f->x + place, left)));
      if (mode == HH_FINISH_KEPT) v = mul16(v, load_bfloats(f->slopes + rounded + i));
      if (mode == HH_FINISH_KEEPING) {
        const activated16 both = activate_both16(f->activation, v);
        store_bfloats(f->slopes + rounded + i, only_first(both.slope, left));
        v = both.value;
      }
      if (mode != HH_FINISH_STORED && f->y != NULL) store_some(f->y + place, v, left);
      if (f->sums != NULL) product_add_to_sums(f, v, row, column + i, left);
    }
    if (f->rounded != NULL && left > -HH_LANES)
      store_bfloats(f->rounded + rounded + i, only_first(v, left));
  }
}

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

static void product_bfloats(const product_block *p, const product_finish *finish) {
  (void)finish;
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
  if (p.c != NULL) p.c += from;
  if (p.start != NULL) p.start += from;
  p.columns = to - from;
  return p;
}

/* Rows [from, to) of the block. */
HH_INLINE product_block product_rows(product_block p, int64_t from, int64_t to, const int halves) {
  p.a = (const char *)p.a + from * p.a_stride * (halves ? 2 : 4);
  if (p.c != NULL) p.c += from * p.c_stride;
  if (p.start != NULL) p.start += from * p.start_stride;
  p.rows = to - from;
  return p;
}

HH_INLINE void product_run(const product_block *p, const int halves) {
  if (halves) product_bfloats(p, NULL);
  else product_floats(p);
}

/* Rows and columns of a block that is put aside as a whole before it is finished. */
#define HH_ASIDE_ROWS 32
#define HH_ASIDE_COLUMNS 64

/* A block that is finished. Rows: at most 128. */
HH_INLINE void product_run_finished(const product_block *p, const product_finish *finish, const int halves) {
#if defined(__AMX_BF16__)
  if (halves) {
    product_bfloats(p, finish);
    return;
  }
#endif
  float aside[HH_ASIDE_ROWS * HH_ASIDE_COLUMNS];
  for (int64_t row = 0; row < p->rows; row += HH_ASIDE_ROWS)
    for (int64_t column = 0; column < p->columns; column += HH_ASIDE_COLUMNS) {
      const int64_t last = row + HH_ASIDE_ROWS < p->rows ? row + HH_ASIDE_ROWS : p->rows;
      const int64_t end = column + HH_ASIDE_COLUMNS < p->columns ? column + HH_ASIDE_COLUMNS : p->columns;
      const product_block rows = product_rows(*p, row, last, halves);
      product_block block = product_columns(rows, column, end, halves);
      block.c = aside;
      block.c_stride = HH_ASIDE_COLUMNS;
      product_run(&block, halves);
      for (int64_t r = row; r < last; r++)
        for (int64_t i = column; i < end; i += 32)
          product_finish_row(finish, aside + (r - row) * HH_ASIDE_COLUMNS + i - column, finish->row + r,
                             finish->column + i, 32, (int)finish->mode);
    }
}
