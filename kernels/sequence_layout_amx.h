/* How sequence_attention_amx.h lays out operands for matrix units: in bfloat16, to nearest even, in tiles.
 *
 * What is missing at the edges of a matrix, or beyond the width of a head, is zero. */
#ifndef HH_SEQUENCE_LAYOUT_AMX_H
#define HH_SEQUENCE_LAYOUT_AMX_H

#include "turn_words.h"

/* Elements of a tile of bfloat16, and of a tile of sums. */
#define HH_SEQUENCE_HALVES 512
#define HH_SEQUENCE_SUMS 256

/* Elements of a head padded to whole tiles: of what is summed over, and of what is computed. */
HH_INLINE int64_t sequence_amx_depth(const sequence_call *t) { return (t->head_dim + 31) / 32 * 32; }
HH_INLINE int64_t sequence_amx_blocks(const sequence_call *t) { return (t->head_dim + 15) / 16; }

/* a in the lower sixteen halves, b in the upper. */
HH_INLINE __m512i sequence_amx_halves(f32x16 a, f32x16 b) {
  return (__m512i)_mm512_cvtne2ps_pbh((__m512)b.part[0], (__m512)a.part[0]);
}

/* Pairs of an element of a and one of b. */
HH_INLINE __m512i sequence_amx_pairs(f32x16 a, f32x16 b) {
  static const uint16_t order[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                     8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return _mm512_permutexvar_epi16(_mm512_loadu_si512(order), sequence_amx_halves(a, b));
}

/* Rows of a head in a matrix of them, of float or (`halves`) of bfloat16: `count` from `from` on. */
typedef struct {
  const void *from;
  int64_t stride, count, width, halves;
} sequence_amx_matrix;

/* What is known of a matrix while its rows are laid out: all is there; it is of bfloat16. */
enum { HH_SEQUENCE_WHOLE = 1, HH_SEQUENCE_ROUNDED = 2 };

HH_INLINE f32x16 sequence_amx_load(const sequence_amx_matrix *m, int64_t row, int64_t column, const int known) {
  const int64_t at = row * m->stride + column;
  const int there = (known & HH_SEQUENCE_WHOLE) || (row < m->count && column < m->width);
  if (!there) return splat16(0.0f);
  if (known & HH_SEQUENCE_ROUNDED) {
    const f32x16 values = load_bfloats((const uint16_t *)m->from + at);
    return known & HH_SEQUENCE_WHOLE ? values : only_first(values, m->width - column);
  }
  return known & HH_SEQUENCE_WHOLE ? load16((const float *)m->from + at)
                                   : load_some((const float *)m->from + at, m->width - column);
}

/* Thirty-two elements of a row. */
HH_INLINE __m512i sequence_amx_row(const sequence_amx_matrix *m, int64_t row, int64_t column, const int known) {
  if (known == (HH_SEQUENCE_WHOLE | HH_SEQUENCE_ROUNDED))
    return _mm512_loadu_si512((const uint16_t *)m->from + row * m->stride + column);
  return sequence_amx_halves(sequence_amx_load(m, row, column, known), sequence_amx_load(m, row, column + 16, known));
}

/* Sixteen pairs of an element of a row and one of the next. */
HH_INLINE __m512i sequence_amx_row_pairs(const sequence_amx_matrix *m, int64_t row, int64_t column, const int known) {
  if (known == (HH_SEQUENCE_WHOLE | HH_SEQUENCE_ROUNDED)) {
    const uint16_t *from = (const uint16_t *)m->from + row * m->stride + column;
    return (__m512i)or_int(widen_shorts(from), shift_left(widen_shorts(from + m->stride), 16)).part[0];
  }
  return sequence_amx_pairs(sequence_amx_load(m, row, column, known), sequence_amx_load(m, row + 1, column, known));
}

/* Calls `function(..., known)` with what is known as a constant. */
#define SEQUENCE_AMX_KNOWING(m, function, ...)                                                  \
  do {                                                                                          \
    const int whole_ = (m)->count % 32 == 0 && (m)->width % 32 == 0;                            \
    if ((m)->halves && whole_) function(__VA_ARGS__, HH_SEQUENCE_WHOLE | HH_SEQUENCE_ROUNDED);  \
    else if ((m)->halves) function(__VA_ARGS__, HH_SEQUENCE_ROUNDED);                           \
    else if (whole_) function(__VA_ARGS__, HH_SEQUENCE_WHOLE);                                  \
    else function(__VA_ARGS__, 0);                                                              \
  } while (0)

/* Rows as they are: (count padded to 32, depth). */
HH_INLINE void sequence_amx_lay_rows_of(uint16_t *to, const sequence_amx_matrix *m, const int known) {
  const int64_t rows = (m->count + 31) / 32 * 32;
  for (int64_t row = 0; row < rows; row++)
    for (int64_t column = 0; column < m->width; column += 32, to += 32)
      _mm512_storeu_si512(to, sequence_amx_row(m, row, column, known));
}
static void sequence_amx_lay_rows(uint16_t *to, const sequence_amx_matrix *m) {
  SEQUENCE_AMX_KNOWING(m, sequence_amx_lay_rows_of, to, m);
}

/* Tiles of 16 columns by 32 rows, transposed: (rows/32, columns/16, 16, 32). */
HH_INLINE void sequence_amx_lay_columns_of(uint16_t *to, const sequence_amx_matrix *m, const int known) {
  for (int64_t row = 0; row < m->count; row += 32)
    for (int64_t column = 0; column < m->width; column += 16, to += HH_SEQUENCE_HALVES) {
      __m512i r[16];
      HH_UNROLL for (int i = 0; i < 16; i++)
        r[i] = sequence_amx_row_pairs(m, row + 2 * i, column, known);
      turn_vectors(r);
      HH_UNROLL for (int i = 0; i < 16; i++) _mm512_storeu_si512(to + i * 32, r[i]);
    }
}
static void sequence_amx_lay_columns(uint16_t *to, const sequence_amx_matrix *m) {
  SEQUENCE_AMX_KNOWING(m, sequence_amx_lay_columns_of, to, m);
}

/* Pairs of columns, transposed, for two vectors of rows: (2, columns/32, 16, 16 rows, 2). */
HH_INLINE void sequence_amx_lay_lanes_of(uint16_t *to, const sequence_amx_matrix *m, const int known) {
  for (int64_t row = 0; row < HH_SEQUENCE_ROWS; row += 16)
    for (int64_t column = 0; column < m->width; column += 32, to += HH_SEQUENCE_HALVES) {
      __m512i r[16];
      HH_UNROLL for (int i = 0; i < 16; i++)
        r[i] = sequence_amx_row(m, row + i, column, known);
      turn_vectors(r);
      HH_UNROLL for (int i = 0; i < 16; i++) _mm512_storeu_si512(to + i * 32, r[i]);
    }
}
static void sequence_amx_lay_lanes(uint16_t *to, const sequence_amx_matrix *m) {
  SEQUENCE_AMX_KNOWING(m, sequence_amx_lay_lanes_of, to, m);
}

/* Pairs of rows of a tile of them, each by a factor: (columns/16, 16, 16 columns, 2). */
HH_INLINE void sequence_amx_lay_pairs_of(uint16_t *to, const sequence_amx_matrix *m, const float *factor, const int known) {
  for (int64_t column = 0; column < m->width; column += 16, to += HH_SEQUENCE_HALVES)
    for (int64_t i = 0; i < 16; i++) {
      const f32x16 even = mul16(sequence_amx_load(m, 2 * i, column, known), splat16(factor[2 * i]));
      const f32x16 odd = mul16(sequence_amx_load(m, 2 * i + 1, column, known), splat16(factor[2 * i + 1]));
      _mm512_storeu_si512(to + i * 32, sequence_amx_pairs(even, odd));
    }
}
static void sequence_amx_lay_pairs(uint16_t *to, const sequence_amx_matrix *m, const float *factor) {
  SEQUENCE_AMX_KNOWING(m, sequence_amx_lay_pairs_of, to, m, factor);
}

#endif
