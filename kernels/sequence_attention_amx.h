/* The products of sequence_attention.c on matrix units: operands in bfloat16, to nearest even, sums in float32.
 *
 * A tile product is c (16 rows, 16 columns) += a (16 rows, 32) * b (32, 16 columns), where b lies in pairs: (16, 16
 * columns, 2). Keys and values of a span are laid out once for all of its rows; queries and gradients of y once for each
 * tile of them. Scores stay (keys, lanes) in float32 between the products, as without matrix units.
 * Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18 (Intel AMX). */
#ifndef HH_SEQUENCE_ATTENTION_AMX_H
#define HH_SEQUENCE_ATTENTION_AMX_H

/* Elements of a tile of bfloat16, and of a tile of sums. */
#define HH_SEQUENCE_HALVES 512
#define HH_SEQUENCE_SUMS 256

/* Elements of a head padded to whole tiles: of what is summed over, and of what is computed. */
HH_INLINE int64_t sequence_amx_depth(const sequence_call *t) { return (t->head_dim + 31) / 32 * 32; }
HH_INLINE int64_t sequence_amx_blocks(const sequence_call *t) { return (t->head_dim + 15) / 16; }

/* ------------------------------------------------------------------ laying out */

/* Sixteen vectors of sixteen 32-bit lanes, transposed in place. */
HH_INLINE void sequence_amx_transpose(__m512i *r) {
  __m512i s[16];
  HH_UNROLL for (int i = 0; i < 16; i += 2) {
    s[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    s[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  HH_UNROLL for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(s[i], s[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(s[i], s[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(s[i + 1], s[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(s[i + 1], s[i + 3]);
  }
  HH_UNROLL for (int i = 0; i < 4; i++) {
    s[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
    s[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
    s[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
    s[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
  }
  HH_UNROLL for (int i = 0; i < 4; i++) {
    r[i] = _mm512_shuffle_i32x4(s[i], s[i + 8], 0x88);
    r[i + 4] = _mm512_shuffle_i32x4(s[i + 4], s[i + 12], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4(s[i], s[i + 8], 0xdd);
    r[i + 12] = _mm512_shuffle_i32x4(s[i + 4], s[i + 12], 0xdd);
  }
}

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

HH_INLINE f32x16 sequence_amx_load(const sequence_amx_matrix *m, int64_t row, int64_t column) {
  if (row >= m->count || column >= m->width) return splat16(0.0f);
  return load_some(m->from + row * m->stride + column, m->width - column);
}

/* Rows as they are: (count padded to 32, depth). */
static void sequence_amx_lay_rows(uint16_t *to, const sequence_amx_matrix *m) {
  const int64_t rows = (m->count + 31) / 32 * 32;
  for (int64_t row = 0; row < rows; row++)
    for (int64_t column = 0; column < m->width; column += 32, to += 32)
      _mm512_storeu_si512(to, sequence_amx_halves(sequence_amx_load(m, row, column), sequence_amx_load(m, row, column + 16)));
}

/* Tiles of 16 columns by 32 rows, transposed: (rows/32, columns/16, 16, 32). */
static void sequence_amx_lay_columns(uint16_t *to, const sequence_amx_matrix *m) {
  for (int64_t row = 0; row < m->count; row += 32)
    for (int64_t column = 0; column < m->width; column += 16, to += HH_SEQUENCE_HALVES) {
      __m512i r[16];
      HH_UNROLL for (int i = 0; i < 16; i++)
        r[i] = sequence_amx_pairs(sequence_amx_load(m, row + 2 * i, column), sequence_amx_load(m, row + 2 * i + 1, column));
      sequence_amx_transpose(r);
      HH_UNROLL for (int i = 0; i < 16; i++) _mm512_storeu_si512(to + i * 32, r[i]);
    }
}

/* Pairs of columns, transposed, for two vectors of rows: (2, columns/32, 16, 16 rows, 2). */
static void sequence_amx_lay_lanes(uint16_t *to, const sequence_amx_matrix *m) {
  for (int64_t row = 0; row < HH_SEQUENCE_ROWS; row += 16)
    for (int64_t column = 0; column < m->width; column += 32, to += HH_SEQUENCE_HALVES) {
      __m512i r[16];
      HH_UNROLL for (int i = 0; i < 16; i++)
        r[i] = sequence_amx_halves(sequence_amx_load(m, row + i, column), sequence_amx_load(m, row + i, column + 16));
      sequence_amx_transpose(r);
      HH_UNROLL for (int i = 0; i < 16; i++) _mm512_storeu_si512(to + i * 32, r[i]);
    }
}

/* Pairs of rows of a tile of them: (columns/16, 16, 16 columns, 2). */
static void sequence_amx_lay_pairs(uint16_t *to, const sequence_amx_matrix *m) {
  for (int64_t column = 0; column < m->width; column += 16, to += HH_SEQUENCE_HALVES)
    for (int64_t i = 0; i < 16; i++)
      _mm512_storeu_si512(to + i * 32, sequence_amx_pairs(sequence_amx_load(m, 2 * i, column), sequence_amx_load(m, 2 * i + 1, column)));
}

/* ------------------------------------------------------------------ between products */

/* Keys of a tile padded to 32. */
HH_INLINE int64_t sequence_amx_keys(const sequence_tile *tile) { return (tile->to - tile->from + 31) / 32 * 32; }

/* Zeroes what lies behind the last key of (keys, lanes). */
HH_INLINE void sequence_amx_pad(const sequence_tile *tile, float *x) {
  const int64_t keys = tile->to - tile->from;
  memset(x + keys * HH_SEQUENCE_ROWS, 0, (size_t)((sequence_amx_keys(tile) - keys) * HH_SEQUENCE_ROWS) * sizeof(float));
}

/* (keys, lanes) as they are. */
static void sequence_amx_pack_rows(uint16_t *to, const float *x, int64_t keys) {
  for (int64_t key = 0; key < keys; key++, x += HH_SEQUENCE_ROWS, to += 32)
    _mm512_storeu_si512(to, sequence_amx_halves(load16(x), load16(x + HH_LANES)));
}

/* (keys, lanes) in pairs of keys: (keys/32, 2, 16, 16 lanes, 2). */
static void sequence_amx_pack_pairs(uint16_t *to, const float *x, int64_t keys) {
  for (int64_t key = 0; key < keys; key += 32, to += HH_SEQUENCE_HALVES)
    for (int64_t i = 0; i < 16; i++, x += 2 * HH_SEQUENCE_ROWS, to += 32) {
      _mm512_storeu_si512(to, sequence_amx_pairs(load16(x), load16(x + HH_SEQUENCE_ROWS)));
      _mm512_storeu_si512(to + HH_SEQUENCE_HALVES, sequence_amx_pairs(load16(x + HH_LANES), load16(x + HH_SEQUENCE_ROWS + HH_LANES)));
    }
}

/* ------------------------------------------------------------------ products */

/* to (keys, lanes) = rows (keys, depth) * lanes. */
static void sequence_amx_score(const sequence_call *t, const sequence_tile *tile, float *to, const uint16_t *rows,
                      const uint16_t *lanes) {
  const int64_t depth = sequence_amx_depth(t), keys = sequence_amx_keys(tile), stride = depth * 2, to_stride = HH_SEQUENCE_ROWS * 4;
  const uint16_t *upper = lanes + depth / 32 * HH_SEQUENCE_HALVES;
  for (int64_t key = 0; key < keys; key += 32, rows += 32 * depth, to += 32 * HH_SEQUENCE_ROWS) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t k = 0; k < depth / 32; k++) {
      _tile_loadd(4, rows + k * 32, stride);
      _tile_loadd(6, lanes + k * HH_SEQUENCE_HALVES, 64);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(7, upper + k * HH_SEQUENCE_HALVES, 64);
      _tile_dpbf16ps(1, 4, 7);
      _tile_loadd(5, rows + 16 * depth + k * 32, stride);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, to, to_stride);
    _tile_stored(1, to + HH_LANES, to_stride);
    _tile_stored(2, to + 16 * HH_SEQUENCE_ROWS, to_stride);
    _tile_stored(3, to + 16 * HH_SEQUENCE_ROWS + HH_LANES, to_stride);
  }
}

/* out_lanes (headDim, lanes) = columns (keys/32, headDim/16, 16, 32) * pairs. */
static void sequence_amx_gather(const sequence_call *t, const sequence_tile *tile, const uint16_t *columns, const uint16_t *pairs) {
  const int64_t blocks = sequence_amx_blocks(t), steps = sequence_amx_keys(tile) / 32, to_stride = HH_SEQUENCE_ROWS * 4;
  for (int64_t block = 0; block < blocks; block += 2) {
    const int64_t second = block + 1 < blocks ? HH_SEQUENCE_HALVES : 0;
    const uint16_t *a = columns + block * HH_SEQUENCE_HALVES, *b = pairs;
    float *to = t->out_lanes + block * 16 * HH_SEQUENCE_ROWS;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t k = 0; k < steps; k++, a += blocks * HH_SEQUENCE_HALVES, b += 2 * HH_SEQUENCE_HALVES) {
      _tile_loadd(4, a, 64);
      _tile_loadd(6, b, 64);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(7, b + HH_SEQUENCE_HALVES, 64);
      _tile_dpbf16ps(1, 4, 7);
      _tile_loadd(5, a + second, 64);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, to, to_stride);
    _tile_stored(1, to + HH_LANES, to_stride);
    if (second == 0) continue;
    _tile_stored(2, to + 16 * HH_SEQUENCE_ROWS, to_stride);
    _tile_stored(3, to + 16 * HH_SEQUENCE_ROWS + HH_LANES, to_stride);
  }
}

/* sums (keys/16, headDim/16, 16, 16) += rows (keys, 32 lanes) * pairs of lanes (headDim/16, 16, 16, 2). */
static void sequence_amx_scatter(const sequence_call *t, const sequence_tile *tile, float *sums, const uint16_t *rows,
                        const uint16_t *pairs) {
  const int64_t blocks = sequence_amx_blocks(t), keys = sequence_amx_keys(tile);
  for (int64_t block = 0; block < blocks; block += 2) {
    const int two = block + 1 < blocks;
    float *to = sums + block * HH_SEQUENCE_SUMS;
    _tile_loadd(6, pairs + block * HH_SEQUENCE_HALVES, 64);
    if (two) _tile_loadd(7, pairs + (block + 1) * HH_SEQUENCE_HALVES, 64);
    for (int64_t key = 0; key < keys; key += 32, to += 2 * blocks * HH_SEQUENCE_SUMS) {
      float *next = to + blocks * HH_SEQUENCE_SUMS;
      _tile_loadd(4, rows + key * 32, 64);
      _tile_loadd(5, rows + (key + 16) * 32, 64);
      _tile_loadd(0, to, 64);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(1, next, 64);
      _tile_dpbf16ps(1, 5, 6);
      if (two) {
        _tile_loadd(2, to + HH_SEQUENCE_SUMS, 64);
        _tile_dpbf16ps(2, 4, 7);
        _tile_loadd(3, next + HH_SEQUENCE_SUMS, 64);
        _tile_dpbf16ps(3, 5, 7);
      }
      _tile_stored(0, to, 64);
      _tile_stored(1, next, 64);
      if (!two) continue;
      _tile_stored(2, to + HH_SEQUENCE_SUMS, 64);
      _tile_stored(3, next + HH_SEQUENCE_SUMS, 64);
    }
  }
}

/* out_lanes by `factor` (lanes) become rows of y. */
static void sequence_amx_store(const sequence_call *t, const sequence_tile *tile, const float *factor) {
  const int64_t stride = t->heads * t->head_dim;
  for (int64_t lane = 0; lane < tile->count; lane += HH_LANES)
    for (int64_t d = 0; d < t->head_dim; d += 16) {
      __m512i r[16];
      HH_UNROLL for (int i = 0; i < 16; i++)
        r[i] = (__m512i)mul16(load16(t->out_lanes + (d + i) * HH_SEQUENCE_ROWS + lane), load16(factor + lane)).part[0];
      sequence_amx_transpose(r);
      float *y = t->y + (tile->row + lane) * stride + tile->head * t->head_dim + d;
      for (int64_t i = 0; i < 16 && lane + i < tile->count; i++)
        store_some(y + i * stride, (f32x16){{(f32_part)r[i]}}, t->head_dim - d);
    }
}

/* ------------------------------------------------------------------ spans and tiles */

HH_INLINE sequence_amx_matrix sequence_amx_key_matrix(const sequence_call *t, const float *from, const sequence_span *span, int64_t kv_head) {
  const int64_t stride = t->kv_heads * t->head_dim;
  return (sequence_amx_matrix){from + span->from * stride + kv_head * t->head_dim, stride, span->to - span->from, t->head_dim};
}

/* Lays out a span's keys and values. */
static void sequence_amx_begin_span(const sequence_call *t, const sequence_span *span, int64_t kv_head) {
  const sequence_amx_matrix keys = sequence_amx_key_matrix(t, t->key, span, kv_head), values = sequence_amx_key_matrix(t, t->value, span, kv_head);
  sequence_amx_lay_rows(t->key_halves, &keys);
  if (t->dy == NULL) {
    sequence_amx_lay_columns(t->columns, &values);
    return;
  }
  sequence_amx_lay_rows(t->value_halves, &values);
  sequence_amx_lay_columns(t->columns, &keys);
  const size_t bytes = (size_t)((keys.count + 31) / 32 * 2 * sequence_amx_blocks(t) * HH_SEQUENCE_SUMS) * sizeof(float);
  memset(t->key_sums, 0, bytes);
  memset(t->value_sums, 0, bytes);
}

/* Puts the sums of a span's keys where they belong. */
static void sequence_amx_end_span(const sequence_call *t, const sequence_span *span, int64_t kv_head) {
  const int64_t stride = t->kv_heads * t->head_dim, blocks = sequence_amx_blocks(t);
  for (int64_t key = 0; t->dy && key < span->to - span->from; key++)
    for (int64_t d = 0; d < t->head_dim; d += 16) {
      const int64_t from = (key / 16 * blocks + d / 16) * HH_SEQUENCE_SUMS + key % 16 * 16;
      const int64_t to = (span->from + key) * stride + kv_head * t->head_dim + d;
      store_some(t->dkey + to, load16(t->key_sums + from), t->head_dim - d);
      store_some(t->dvalue + to, load16(t->value_sums + from), t->head_dim - d);
    }
}

HH_INLINE sequence_amx_matrix sequence_amx_tile_matrix(const sequence_call *t, const float *from, const sequence_tile *tile) {
  const int64_t stride = t->heads * t->head_dim;
  return (sequence_amx_matrix){from + tile->row * stride + tile->head * t->head_dim, stride, tile->count, t->head_dim};
}

/* Vectors of lanes that nobody asks for are zero, not whatever memory held. */
static void sequence_amx_clear_lanes(const sequence_tile *tile, float *x) {
  if (tile->count > HH_LANES) return;
  for (int64_t key = 0; key < tile->to - tile->from; key++) store16(x + key * HH_SEQUENCE_ROWS + HH_LANES, splat16(0.0f));
}

static void sequence_amx_forward_tile(const sequence_call *t, const sequence_tile *tile, int64_t first) {
  float factor[HH_SEQUENCE_ROWS];
  const sequence_amx_matrix queries = sequence_amx_tile_matrix(t, t->query, tile);
  sequence_amx_lay_lanes(t->query_halves, &queries);
  sequence_amx_score(t, tile, t->scores, t->key_halves + first * sequence_amx_depth(t), t->query_halves);
  for (int64_t v = 0; v < (tile->count + HH_LANES - 1) / HH_LANES; v++)
    store16(factor + v * HH_LANES, sequence_exponentials(t, tile, v));
  sequence_amx_clear_lanes(tile, t->scores);
  sequence_amx_pad(tile, t->scores);
  sequence_amx_pack_pairs(t->pairs, t->scores, sequence_amx_keys(tile));
  sequence_amx_gather(t, tile, t->columns + first / 32 * sequence_amx_blocks(t) * HH_SEQUENCE_HALVES, t->pairs);
  sequence_amx_store(t, tile, factor);
}

static void sequence_amx_backward_tile(const sequence_call *t, const sequence_tile *tile, int64_t first) {
  static const float ones[HH_SEQUENCE_ROWS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                               1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  const sequence_amx_matrix queries = sequence_amx_tile_matrix(t, t->query, tile), dys = sequence_amx_tile_matrix(t, t->dy, tile);
  const int64_t keys = sequence_amx_keys(tile), at = first / 16 * sequence_amx_blocks(t) * HH_SEQUENCE_SUMS;
  sequence_amx_lay_lanes(t->query_halves, &queries);
  sequence_amx_score(t, tile, t->scores, t->key_halves + first * sequence_amx_depth(t), t->query_halves);
  sequence_amx_lay_lanes(t->query_halves, &dys);
  sequence_amx_score(t, tile, t->gradients, t->value_halves + first * sequence_amx_depth(t), t->query_halves);
  for (int64_t v = 0; v < (tile->count + HH_LANES - 1) / HH_LANES; v++) sequence_score_gradients(t, tile, v);
  sequence_amx_clear_lanes(tile, t->scores);
  sequence_amx_clear_lanes(tile, t->gradients);
  sequence_amx_pad(tile, t->scores);
  sequence_amx_pad(tile, t->gradients);
  sequence_amx_pack_rows(t->rows_halves, t->scores, keys);
  sequence_amx_lay_pairs(t->query_halves, &dys);
  sequence_amx_scatter(t, tile, t->value_sums + at, t->rows_halves, t->query_halves);
  sequence_amx_pack_rows(t->rows_halves, t->gradients, keys);
  sequence_amx_lay_pairs(t->query_halves, &queries);
  sequence_amx_scatter(t, tile, t->key_sums + at, t->rows_halves, t->query_halves);
  sequence_amx_pack_pairs(t->pairs, t->gradients, keys);
  sequence_amx_gather(t, tile, t->columns + first / 32 * sequence_amx_blocks(t) * HH_SEQUENCE_HALVES, t->pairs);
  sequence_amx_store(t, tile, ones);
}

#endif
