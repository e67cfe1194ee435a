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

/* Rows of a head in a matrix of them: `count` from `from` on. */
typedef struct {
  const float *from;
  int64_t stride, count, width;
} sequence_amx_matrix;

/* `whole`: there is no need to ask whether it is there. */
HH_INLINE f32x16 sequence_amx_load(const sequence_amx_matrix *m, int64_t row, int64_t column, const int whole) {
  const float *from = m->from + row * m->stride + column;
  if (whole) return load16(from);
  return row < m->count && column < m->width ? load_some(from, m->width - column) : splat16(0.0f);
}
HH_INLINE int sequence_amx_is_whole(const sequence_amx_matrix *m) { return m->count % 32 == 0 && m->width % 32 == 0; }

/* Rows as they are: (count padded to 32, depth). */
HH_INLINE void sequence_amx_lay_rows_of(uint16_t *to, const sequence_amx_matrix *m, const int whole) {
  const int64_t rows = (m->count + 31) / 32 * 32;
  for (int64_t row = 0; row < rows; row++)
    for (int64_t column = 0; column < m->width; column += 32, to += 32)
      _mm512_storeu_si512(to, sequence_amx_halves(sequence_amx_load(m, row, column, whole), sequence_amx_load(m, row, column + 16, whole)));
}
static void sequence_amx_lay_rows(uint16_t *to, const sequence_amx_matrix *m) {
  if (sequence_amx_is_whole(m)) sequence_amx_lay_rows_of(to, m, 1);
  else sequence_amx_lay_rows_of(to, m, 0);
}

/* Tiles of 16 columns by 32 rows, transposed: (rows/32, columns/16, 16, 32). */
HH_INLINE void sequence_amx_lay_columns_of(uint16_t *to, const sequence_amx_matrix *m, const int whole) {
  for (int64_t row = 0; row < m->count; row += 32)
    for (int64_t column = 0; column < m->width; column += 16, to += HH_SEQUENCE_HALVES) {
      __m512i r[16];
      HH_UNROLL for (int i = 0; i < 16; i++)
        r[i] = sequence_amx_pairs(sequence_amx_load(m, row + 2 * i, column, whole), sequence_amx_load(m, row + 2 * i + 1, column, whole));
      turn_vectors(r);
      HH_UNROLL for (int i = 0; i < 16; i++) _mm512_storeu_si512(to + i * 32, r[i]);
    }
}
static void sequence_amx_lay_columns(uint16_t *to, const sequence_amx_matrix *m) {
  if (sequence_amx_is_whole(m)) sequence_amx_lay_columns_of(to, m, 1);
  else sequence_amx_lay_columns_of(to, m, 0);
}

/* Pairs of columns, transposed, for two vectors of rows: (2, columns/32, 16, 16 rows, 2). */
HH_INLINE void sequence_amx_lay_lanes_of(uint16_t *to, const sequence_amx_matrix *m, const int whole) {
  for (int64_t row = 0; row < HH_SEQUENCE_ROWS; row += 16)
    for (int64_t column = 0; column < m->width; column += 32, to += HH_SEQUENCE_HALVES) {
      __m512i r[16];
      HH_UNROLL for (int i = 0; i < 16; i++)
        r[i] = sequence_amx_halves(sequence_amx_load(m, row + i, column, whole), sequence_amx_load(m, row + i, column + 16, whole));
      turn_vectors(r);
      HH_UNROLL for (int i = 0; i < 16; i++) _mm512_storeu_si512(to + i * 32, r[i]);
    }
}
static void sequence_amx_lay_lanes(uint16_t *to, const sequence_amx_matrix *m) {
  if (sequence_amx_is_whole(m)) sequence_amx_lay_lanes_of(to, m, 1);
  else sequence_amx_lay_lanes_of(to, m, 0);
}

/* Pairs of rows of a tile of them, each by a factor: (columns/16, 16, 16 columns, 2). */
HH_INLINE void sequence_amx_lay_pairs_of(uint16_t *to, const sequence_amx_matrix *m, const float *factor, const int whole) {
  for (int64_t column = 0; column < m->width; column += 16, to += HH_SEQUENCE_HALVES)
    for (int64_t i = 0; i < 16; i++) {
      const f32x16 even = mul16(sequence_amx_load(m, 2 * i, column, whole), splat16(factor[2 * i]));
      const f32x16 odd = mul16(sequence_amx_load(m, 2 * i + 1, column, whole), splat16(factor[2 * i + 1]));
      _mm512_storeu_si512(to + i * 32, sequence_amx_pairs(even, odd));
    }
}
static void sequence_amx_lay_pairs(uint16_t *to, const sequence_amx_matrix *m, const float *factor) {
  if (sequence_amx_is_whole(m)) sequence_amx_lay_pairs_of(to, m, factor, 1);
  else sequence_amx_lay_pairs_of(to, m, factor, 0);
}

#endif
