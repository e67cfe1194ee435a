/* What sequence_attention_amx.h does between its products: scores become weights, and gradients of weights those of
 * scores, in float32; what the next product reads is stored in pairs of keys, and as rows, of bfloat16. */
#ifndef HH_SEQUENCE_WEIGHTS_AMX_H
#define HH_SEQUENCE_WEIGHTS_AMX_H

#include "sequence_layout_amx.h"

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

#endif
