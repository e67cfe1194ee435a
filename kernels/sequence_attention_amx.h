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
      sequence_amx_transpose(r);
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
      sequence_amx_transpose(r);
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

/* ------------------------------------------------------------------ between products */

/* 2^x for x <= 0, off by at most 4e-6 of itself; probabilities are rounded to bfloat16 next. Not a number stays so. */
HH_INLINE f32x16 sequence_amx_power(f32x16 x) {
  const __m512 whole = _mm512_roundscale_ps((__m512)x.part[0], _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const f32x16 r = {{(f32_part)_mm512_sub_ps((__m512)x.part[0], whole)}};
  const f32x16 p = POLYNOMIAL(r, 9.6181291e-3f, 5.5503324e-2f, 2.4022651e-1f, 6.9314718e-1f, 1.0f);
  return (f32x16){{(f32_part)_mm512_scalef_ps((__m512)p.part[0], whole)}};
}

/* How the exponentials of a tile come about: 2^(score * factor - subtracted). */
typedef struct {
  f32x16 factor, subtracted[2];
} sequence_amx_exponents;

/* Calls `body(key, hidden)` for every other key of a tile; `hidden`: a lane may not see it. */
#define SEQUENCE_AMX_EACH_PAIR(tile, body)                                                              \
  do {                                                                                                  \
    const int64_t seen_from = tile->from + (later(tile->all_from, tile->from) - tile->from + 1) / 2 * 2; \
    const int64_t seen_to = tile->from + (earlier(tile->all_to, tile->to) - tile->from) / 2 * 2;         \
    int64_t key = tile->from;                                                                           \
    for (; key < earlier(seen_from, tile->to); key += 2) body(1);                                       \
    for (; key < seen_to; key += 2) body(0);                                                            \
    for (; key < tile->to; key += 2) body(1);                                                           \
  } while (0)

HH_INLINE f32x16 sequence_amx_at(const sequence_tile *tile, const float *score, int64_t vector, int64_t key, const int hidden) {
  return hidden ? sequence_mask(tile, vector, key, load16(score)) : load16(score);
}

static sequence_amx_exponents sequence_amx_prepare(const sequence_call *t, const sequence_tile *tile) {
  const float log_2e = 1.44269504088896341f, *scores = t->scores;
  const int plain = t->slopes == NULL && t->bias == NULL && t->scale > 0;
  sequence_amx_exponents e = {.factor = splat16(plain ? t->scale * log_2e : log_2e)};
  f32x16 largest[4];
  HH_UNROLL for (int i = 0; i < 4; i++) largest[i] = splat16(HH_SEQUENCE_LEAST);
#define SEQUENCE_AMX_LARGEST(hidden)                                                                       \
  do {                                                                                                     \
    HH_UNROLL for (int i = 0; i < 4; i++)                                                                  \
      largest[i] = max16(largest[i], sequence_amx_at(tile, scores + i * HH_LANES, i % 2, key + i / 2, hidden)); \
    scores += 2 * HH_SEQUENCE_ROWS;                                                                        \
  } while (0)
  if (plain) SEQUENCE_AMX_EACH_PAIR(tile, SEQUENCE_AMX_LARGEST);
  else
    HH_UNROLL for (int v = 0; v < 2; v++) largest[v] = sequence_finish_scores(t, tile, v);
  HH_UNROLL for (int v = 0; v < 2; v++)
    e.subtracted[v] = mul16(max16(largest[v], largest[v + 2]), sub16(splat16(0.0f), e.factor));
  return e;
}

/* 1 / the sum of exponentials; 0 where a query sees nothing. Not a number stays so. */
HH_INLINE f32x16 sequence_amx_inverse(f32x16 sum) {
  return where_less(sum, splat16(0.5f), splat16(0.0f), div16(splat16(1.0f), sum));
}

#define SEQUENCE_AMX_EXPONENTIAL(v, i, hidden) \
  sequence_amx_power(                          \
      fma16(sequence_amx_at(tile, scores + (i) * HH_SEQUENCE_ROWS + (v) * HH_LANES, v, key + (i), hidden), e.factor, e.subtracted[v]))

/* The next sixteen pairs are a tile further on. */
HH_INLINE uint16_t *sequence_amx_next_pairs(uint16_t *to, int64_t key) {
  return to + (key % 32 == 30 ? 32 + HH_SEQUENCE_HALVES : 32);
}

/* Exponentials of the scores in pairs of keys: (keys/32, 2, 16, 16 lanes, 2). Stores 1 / their sums. */
static void sequence_amx_weigh(const sequence_call *t, const sequence_tile *tile, float *inverse) {
  const sequence_amx_exponents e = sequence_amx_prepare(t, tile);
  f32x16 sum[2] = {splat16(0.0f), splat16(0.0f)};
  const float *scores = t->scores;
  uint16_t *to = t->pairs;
#define SEQUENCE_AMX_WEIGH(hidden)                                                   \
  do {                                                                               \
    HH_UNROLL for (int v = 0; v < 2; v++) {                                          \
      const f32x16 even = SEQUENCE_AMX_EXPONENTIAL(v, 0, hidden);                    \
      const f32x16 odd = SEQUENCE_AMX_EXPONENTIAL(v, 1, hidden);                     \
      sum[v] = add16(add16(sum[v], even), odd);                                      \
      _mm512_storeu_si512(to + v * HH_SEQUENCE_HALVES, sequence_amx_pairs(even, odd)); \
    }                                                                                \
    scores += 2 * HH_SEQUENCE_ROWS;                                                  \
    to = sequence_amx_next_pairs(to, key - tile->from);                              \
    sequence_bring(t->ahead);                                                        \
    sequence_bring(t->ahead);                                                        \
  } while (0)
  SEQUENCE_AMX_EACH_PAIR(tile, SEQUENCE_AMX_WEIGH);
  HH_UNROLL for (int v = 0; v < 2; v++) store16(inverse + v * HH_LANES, sequence_amx_inverse(sum[v]));
}

/* The same in place, and as rows of bfloat16 (keys, lanes). Stores also the sums of probability * gradient. */
static void sequence_amx_weigh_both(const sequence_call *t, const sequence_tile *tile, uint16_t *rows, float *inverse,
                                    float *along) {
  const sequence_amx_exponents e = sequence_amx_prepare(t, tile);
  f32x16 sum[2] = {splat16(0.0f), splat16(0.0f)}, products[2] = {splat16(0.0f), splat16(0.0f)};
  uint16_t *to = rows;
  const float *gradients = t->gradients;
  float *scores = t->scores;
#define SEQUENCE_AMX_WEIGH_BOTH(hidden)                                                           \
  do {                                                                                            \
    HH_UNROLL for (int i = 0; i < 2; i++) {                                                       \
      f32x16 weight[2];                                                                           \
      HH_UNROLL for (int v = 0; v < 2; v++) {                                                     \
        const int64_t at = i * HH_SEQUENCE_ROWS + v * HH_LANES;                                   \
        weight[v] = SEQUENCE_AMX_EXPONENTIAL(v, i, hidden);                                       \
        sum[v] = add16(sum[v], weight[v]);                                                        \
        products[v] = fma16(weight[v], load16(gradients + at), products[v]);                      \
        store16(scores + at, weight[v]);                                                          \
      }                                                                                           \
      _mm512_storeu_si512(to + i * 32, sequence_amx_halves(weight[0], weight[1]));                \
    }                                                                                             \
    scores += 2 * HH_SEQUENCE_ROWS, gradients += 2 * HH_SEQUENCE_ROWS, to += 64;                  \
    sequence_bring(t->ahead);                                                                     \
    sequence_bring(t->ahead);                                                                     \
  } while (0)
  SEQUENCE_AMX_EACH_PAIR(tile, SEQUENCE_AMX_WEIGH_BOTH);
  HH_UNROLL for (int v = 0; v < 2; v++) {
    const f32x16 factor = sequence_amx_inverse(sum[v]);
    store16(inverse + v * HH_LANES, factor);
    store16(along + v * HH_LANES, mul16(products[v], factor));
  }
}

/* From exponentials and gradients of probabilities those of products of query and key, p (dp - along) by the slope, as
 * rows and in pairs of keys. The scale is left to what they are multiplied by. */
HH_INLINE void sequence_amx_slope_of(const sequence_call *t, const sequence_tile *tile, uint16_t *rows,
                                     const float *inverse, const float *along, const int plain) {
  uint16_t *to = t->pairs;
  const float *scores = t->scores, *gradients = t->gradients;
  f32x16 factor[2], sum[2];
  HH_UNROLL for (int v = 0; v < 2; v++) factor[v] = load16(inverse + v * HH_LANES), sum[v] = load16(along + v * HH_LANES);
  for (int64_t key = tile->from; key < tile->to; key += 2) {
    f32x16 gradient[2][2];
    HH_UNROLL for (int v = 0; v < 2; v++) {
      HH_UNROLL for (int i = 0; i < 2; i++) {
        const int64_t at = i * HH_SEQUENCE_ROWS + v * HH_LANES;
        gradient[i][v] = mul16(mul16(load16(scores + at), factor[v]), sub16(load16(gradients + at), sum[v]));
        if (!plain && t->dbias) sequence_add_bias_gradients(t, tile, v, key + i, gradient[i][v]);
        if (!plain && t->slopes) gradient[i][v] = mul16(gradient[i][v], load16(t->slopes + (scores - t->scores) + at));
      }
      _mm512_storeu_si512(to + v * HH_SEQUENCE_HALVES, sequence_amx_pairs(gradient[0][v], gradient[1][v]));
    }
    HH_UNROLL for (int i = 0; i < 2; i++)
      _mm512_storeu_si512(rows + i * 32, sequence_amx_halves(gradient[i][0], gradient[i][1]));
    scores += 2 * HH_SEQUENCE_ROWS, gradients += 2 * HH_SEQUENCE_ROWS, rows += 64;
    to = sequence_amx_next_pairs(to, key - tile->from);
    sequence_bring(t->ahead);
  }
}

static void sequence_amx_slope(const sequence_call *t, const sequence_tile *tile, uint16_t *rows, const float *inverse,
                               const float *along) {
  if (t->dbias == NULL && t->slopes == NULL) sequence_amx_slope_of(t, tile, rows, inverse, along, 1);
  else sequence_amx_slope_of(t, tile, rows, inverse, along, 0);
}

/* ------------------------------------------------------------------ products */

/* to (keys, lanes) = rows (keys, depth) * lanes. */
static void sequence_amx_score(const sequence_call *t, const sequence_tile *tile, float *to, const uint16_t *rows,
                      const uint16_t *lanes) {
  const int64_t depth = sequence_amx_depth(t), keys = (tile->to - tile->from), stride = depth * 2, to_stride = HH_SEQUENCE_ROWS * 4;
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
  const int64_t blocks = sequence_amx_blocks(t), steps = (tile->to - tile->from) / 32, to_stride = HH_SEQUENCE_ROWS * 4;
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

/* Tiles of queries that are added to the gradients of keys and values together: these are moved less often. */
#define HH_SEQUENCE_SLOTS 4

/* What of a tile is to be added: weights (keys, 32 lanes) by pairs of lanes (headDim/16, 16, 16, 2), for keys and values. */
typedef struct {
  uint16_t *rows[2], *pairs[2];
  int64_t from, to; /* keys from the span's first on, in blocks of 32 */
} sequence_amx_slot;

struct sequence_amx_slots {
  sequence_amx_slot slot[HH_SEQUENCE_SLOTS];
  int64_t count;
};

/* Two blocks of 16 keys by two of 16 columns: sums (headDim/16, 16, 16) += the weighted rows of all slots. */
HH_INLINE void sequence_amx_scatter_block(const struct sequence_amx_slots *slots, int which, float *to, float *next,
                                          int64_t key, int64_t block, const int two) {
  _tile_loadd(0, to, 64);
  _tile_loadd(1, next, 64);
  if (two) {
    _tile_loadd(2, to + HH_SEQUENCE_SUMS, 64);
    _tile_loadd(3, next + HH_SEQUENCE_SUMS, 64);
  }
  for (int64_t i = 0; i < slots->count; i++) {
    const sequence_amx_slot *slot = &slots->slot[i];
    if (key < slot->from || key >= slot->to) continue;
    const uint16_t *rows = slot->rows[which] + (key - slot->from) * 32, *pairs = slot->pairs[which] + block * HH_SEQUENCE_HALVES;
    _tile_loadd(4, rows, 64);
    _tile_loadd(6, pairs, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(5, rows + HH_SEQUENCE_HALVES, 64);
    _tile_dpbf16ps(1, 5, 6);
    if (!two) continue;
    _tile_loadd(7, pairs + HH_SEQUENCE_HALVES, 64);
    _tile_dpbf16ps(2, 4, 7);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, to, 64);
  _tile_stored(1, next, 64);
  if (!two) return;
  _tile_stored(2, to + HH_SEQUENCE_SUMS, 64);
  _tile_stored(3, next + HH_SEQUENCE_SUMS, 64);
}

/* Adds what the slots hold to sums (keys/16, headDim/16, 16, 16), and empties them. */
static void sequence_amx_scatter(const sequence_call *t) {
  struct sequence_amx_slots *slots = t->slots;
  const int64_t blocks = sequence_amx_blocks(t);
  int64_t from = INT64_MAX, to = 0;
  for (int64_t i = 0; i < slots->count; i++)
    from = earlier(from, slots->slot[i].from), to = later(to, slots->slot[i].to);
  for (int which = 0; which < 2; which++)
    for (int64_t key = from; key < to; key += 32) {
      float *sums = (which ? t->value_sums : t->key_sums) + key / 16 * blocks * HH_SEQUENCE_SUMS;
      for (int64_t block = 0; block < blocks; block += 2) {
        float *at = sums + block * HH_SEQUENCE_SUMS, *next = at + blocks * HH_SEQUENCE_SUMS;
        if (block + 1 < blocks) sequence_amx_scatter_block(slots, which, at, next, key, block, 1);
        else sequence_amx_scatter_block(slots, which, at, next, key, block, 0);
      }
    }
  slots->count = 0;
}

/* out_lanes by `factor` (lanes) become rows of y. */
static void sequence_amx_store(const sequence_call *t, const sequence_tile *tile, const float *factor) {
  for (int64_t lane = 0; lane < tile->count; lane += HH_LANES)
    for (int64_t d = 0; d < t->head_dim; d += 16) {
      __m512i r[16];
      HH_UNROLL for (int i = 0; i < 16; i++)
        r[i] = (__m512i)mul16(load16(t->out_lanes + (d + i) * HH_SEQUENCE_ROWS + lane), load16(factor + lane)).part[0];
      sequence_amx_transpose(r);
      for (int64_t i = 0; i < 16 && lane + i < tile->count; i++)
        sequence_put(t, tile->row + lane + i, tile->head, d, (f32x16){{(f32_part)r[i]}});
    }
}

/* ------------------------------------------------------------------ stretches and tiles */

/* Rows [row, end) that may see keys from the same first on, to `to` at most. Blocks of keys are counted from there: so the
 * bits of a row do not depend on where other rows' keys begin. */
typedef struct {
  int64_t row, end, from, to;
} sequence_amx_stretch;

/* The stretch that begins with `row`; rows that see nothing join any. */
static sequence_amx_stretch sequence_amx_next_stretch(const sequence_call *t, int64_t row, int64_t end) {
  sequence_amx_stretch stretch = {row, row, 0, 0};
  for (; stretch.end < end; stretch.end++) {
    int64_t first, stop;
    sequence_may_see(t, stretch.end, &first, &stop);
    if (first == stop) continue;
    if (stretch.to == 0) stretch.from = first;
    if (first != stretch.from) break;
    stretch.to = later(stretch.to, stop);
  }
  return stretch;
}

HH_INLINE sequence_amx_matrix sequence_amx_key_matrix(const sequence_call *t, const float *from, const sequence_amx_stretch *stretch, int64_t kv_head) {
  const int64_t stride = t->kv_heads * t->head_dim;
  return (sequence_amx_matrix){from + stretch->from * stride + kv_head * t->head_dim, stride, stretch->to - stretch->from, t->head_dim};
}

/* Lays out a stretch's keys and values. */
static void sequence_amx_begin(const sequence_call *t, const sequence_amx_stretch *stretch, int64_t kv_head) {
  const sequence_amx_matrix keys = sequence_amx_key_matrix(t, t->key, stretch, kv_head), values = sequence_amx_key_matrix(t, t->value, stretch, kv_head);
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

/* Sixteen rows by sixteen columns of sums, of which `rows` and `columns` are there, to a matrix, or added to it. */
HH_INLINE void sequence_amx_put(float *to, int64_t stride, const float *sums, int64_t rows, int64_t columns, int adds) {
  if (rows >= 16 && columns >= 16 && !adds) {
    _tile_loadd(0, sums, 64);
    _tile_stored(0, to, stride * 4);
    return;
  }
  for (int64_t r = 0; r < earlier(rows, 16); r++, to += stride, sums += 16)
    store_some(to, adds ? add16(load_some(to, columns), load16(sums)) : load16(sums), columns);
}

/* Puts the sums of a stretch's keys where they belong, or adds them to what other stretches put there. */
static void sequence_amx_end(const sequence_call *t, const sequence_amx_stretch *stretch, int64_t kv_head, int adds) {
  const int64_t stride = t->kv_heads * t->head_dim, keys = stretch->to - stretch->from;
  const float *key_sums = t->key_sums, *value_sums = t->value_sums;
  if (t->slots->count > 0) sequence_amx_scatter(t);
  for (int64_t key = 0; key < keys; key += 16)
    for (int64_t d = 0; d < t->head_dim; d += 16, key_sums += HH_SEQUENCE_SUMS, value_sums += HH_SEQUENCE_SUMS) {
      const int64_t to = (stretch->from + key) * stride + kv_head * t->head_dim + d;
      sequence_amx_put(t->dkey + to, stride, key_sums, keys - key, t->head_dim - d, adds);
      sequence_amx_put(t->dvalue + to, stride, value_sums, keys - key, t->head_dim - d, adds);
    }
}

HH_INLINE sequence_amx_matrix sequence_amx_tile_matrix(const sequence_call *t, const float *from, const sequence_tile *tile) {
  const int64_t stride = t->heads * t->head_dim;
  return (sequence_amx_matrix){from + tile->row * stride + tile->head * t->head_dim, stride, tile->count, t->head_dim};
}

/* A tile's keys in whole blocks from the stretch's first on, which all of a tile's rows share. Returns how far they are. */
static int64_t sequence_amx_align(const sequence_call *t, sequence_tile *tile) {
  if (tile->from == tile->to) return tile->from = tile->to = 0;
  const int64_t origin = t->stretch_from, first = (tile->from - origin) / HH_SEQUENCE_KEYS * HH_SEQUENCE_KEYS;
  tile->to = origin + (tile->to - origin + HH_SEQUENCE_KEYS - 1) / HH_SEQUENCE_KEYS * HH_SEQUENCE_KEYS;
  tile->from = origin + first;
  return first;
}

static void sequence_amx_forward_tile(const sequence_call *t, sequence_tile *tile) {
  const int64_t first = sequence_amx_align(t, tile);
  float inverse[HH_SEQUENCE_ROWS];
  const sequence_amx_matrix queries = sequence_amx_tile_matrix(t, t->query, tile);
  sequence_amx_lay_lanes(t->query_halves, &queries);
  sequence_amx_score(t, tile, t->scores, t->key_halves + first * sequence_amx_depth(t), t->query_halves);
  sequence_amx_weigh(t, tile, inverse);
  sequence_amx_gather(t, tile, t->columns + first / 32 * sequence_amx_blocks(t) * HH_SEQUENCE_HALVES, t->pairs);
  sequence_amx_store(t, tile, inverse);
}

static void sequence_amx_backward_tile(const sequence_call *t, sequence_tile *tile) {
  const int64_t first = sequence_amx_align(t, tile);
  float inverse[HH_SEQUENCE_ROWS], along[HH_SEQUENCE_ROWS], scale[HH_SEQUENCE_ROWS];
  const sequence_amx_matrix queries = sequence_amx_tile_matrix(t, t->query, tile), dys = sequence_amx_tile_matrix(t, t->dy, tile);
  for (int64_t i = 0; i < HH_SEQUENCE_ROWS; i++) scale[i] = t->scale;
  sequence_amx_slot *slot = &t->slots->slot[t->slots->count++];
  slot->from = first, slot->to = first + tile->to - tile->from;
  sequence_amx_lay_lanes(t->query_halves, &queries);
  sequence_amx_score(t, tile, t->scores, t->key_halves + first * sequence_amx_depth(t), t->query_halves);
  sequence_amx_lay_lanes(t->query_halves, &dys);
  sequence_amx_score(t, tile, t->gradients, t->value_halves + first * sequence_amx_depth(t), t->query_halves);
  sequence_amx_weigh_both(t, tile, slot->rows[1], inverse, along);
  sequence_amx_lay_pairs(slot->pairs[1], &dys, inverse);
  sequence_amx_slope(t, tile, slot->rows[0], inverse, along);
  sequence_amx_lay_pairs(slot->pairs[0], &queries, scale);
  sequence_amx_gather(t, tile, t->columns + first / 32 * sequence_amx_blocks(t) * HH_SEQUENCE_HALVES, t->pairs);
  sequence_amx_store(t, tile, scale);
  if (t->slots->count == HH_SEQUENCE_SLOTS) sequence_amx_scatter(t);
}

/* A span's rows, [row, end), stretch after stretch. */
static void sequence_amx_run_span(const sequence_call *t, const sequence_span *span, int64_t end, int64_t kv_head) {
  sequence_call within = *t;
  for (int64_t row = span->row; row < end;) {
    const sequence_amx_stretch stretch = sequence_amx_next_stretch(t, row, end);
    const int adds = stretch.row > span->row || stretch.end < end;
    if (t->dy && adds && row == span->row) sequence_clear_keys(t, span->from, span->to, kv_head);
    within.stretch_from = stretch.from;
    sequence_amx_begin(t, &stretch, kv_head);
    sequence_run_rows(&within, row, stretch.end, kv_head, t->dy ? sequence_amx_backward_tile : sequence_amx_forward_tile);
    if (t->dy) sequence_amx_end(t, &stretch, kv_head, adds);
    row = stretch.end;
  }
}

/* Finds the scratch of products: as much as `lower-sequence-attention.ts` reserves. */
static void sequence_amx_take(sequence_call *t, struct sequence_amx_slots *slots) {
  const int64_t width = sequence_amx_depth(t), keys = sequence_padded_keys(t);
  char *scratch = t->rest;
  t->key_halves = (uint16_t *)sequence_take(&scratch, keys * width / 2);
  t->value_halves = (uint16_t *)sequence_take(&scratch, keys * width / 2);
  t->columns = (uint16_t *)sequence_take(&scratch, keys * width / 2);
  t->query_halves = (uint16_t *)sequence_take(&scratch, HH_SEQUENCE_ROWS * width / 2);
  t->pairs = (uint16_t *)sequence_take(&scratch, keys * HH_SEQUENCE_ROWS / 2);
  t->key_sums = sequence_take(&scratch, keys * width);
  t->value_sums = sequence_take(&scratch, keys * width);
  t->slots = slots;
  slots->count = 0;
  for (int64_t i = 0; i < HH_SEQUENCE_SLOTS; i++)
    for (int which = 0; which < 2; which++) {
      slots->slot[i].rows[which] = (uint16_t *)sequence_take(&scratch, keys * HH_SEQUENCE_ROWS / 2);
      slots->slot[i].pairs[which] = (uint16_t *)sequence_take(&scratch, HH_SEQUENCE_ROWS * width / 2);
    }
}

#endif
