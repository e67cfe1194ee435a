/* What the attention of whole sequences, forward and backward, is made of besides products: which rows belong together,
 * what a tile of queries sees, and its probabilities. See sequence_attention.c.
 *
 * Scores lie as (keys, HH_SEQUENCE_ROWS): the lanes of a vector are queries. So every sum over keys is a chain in each
 * lane, and its bits depend on that query alone, wherever it lies in a tile. */
#ifndef HH_SEQUENCE_ATTENTION_H
#define HH_SEQUENCE_ATTENTION_H

#include "functions.h"

/* Queries of a tile, two vectors of lanes. src/backends/cpu/lower-sequence-attention.ts reserves scratch for as many. */
#define HH_SEQUENCE_ROWS 32
/* Keys are padded to multiples of this many, which matrix units take at a time. */
#define HH_SEQUENCE_KEYS 32

/* Rows that see keys of their own: rows from `row` on (to the next span's), keys [from, to). */
typedef struct {
  int32_t row, from, to;
  int64_t cost; /* about how many pairs of rows and keys */
} sequence_span;

typedef struct {
  const float *query, *key, *value, *dy;
  const int32_t *first, *end, *positions, *buckets;
  const float *bias;
  float *y, *dquery, *dkey, *dvalue, *dbias;
  int64_t rows, key_rows, key_capacity, reach, bucket_count, heads, kv_heads, head_dim, window;
  float scale, cap;
  /* Scratch of this thread. */
  float *scores, *slopes, *gradients;   /* (keys, HH_SEQUENCE_ROWS); slopes: NULL without a soft cap */
  float *query_lanes, *dy_lanes, *out_lanes; /* (headDim, HH_SEQUENCE_ROWS) */
  sequence_span *spans;
  int64_t span_count;
  int64_t matrix_units; /* whether products are in bfloat16 on matrix units: then also (sequence_attention_amx.h) */
  uint16_t *key_halves, *value_halves, *columns, *query_halves, *rows_halves, *pairs;
  float *key_sums, *value_sums;
} sequence_call;

/* Rows [row, row + count) of a head, and the keys [from, to) that any of them sees. */
typedef struct {
  int64_t row, count, head, kv_head;
  int64_t from, to;
  int64_t all_from, all_to; /* keys that all of them see */
  /* By lane: the keys [start, stop) that it sees, as floats; what is subtracted from a key for its distance. */
  float start[HH_SEQUENCE_ROWS], stop[HH_SEQUENCE_ROWS];
  int32_t origin[HH_SEQUENCE_ROWS];
} sequence_tile;

HH_INLINE int64_t sequence_vectors(const sequence_tile *tile) { return (tile->count + HH_LANES - 1) / HH_LANES; }

/* The keys [start, stop) that a row sees; start = stop where it sees none. */
HH_INLINE void sequence_sees(const sequence_call *t, int64_t row, int64_t *start, int64_t *stop) {
  const int64_t first = t->first[row] > 0 ? t->first[row] : 0, end = earlier(t->end[row], t->key_rows);
  *start = t->window > 0 ? later(first, end - t->window) : first;
  *stop = later(*start, end);
}

/* ------------------------------------------------------------------ spans */

/* Divides the rows into spans of which no two see the same key. Documents that follow each other become one each; where
 * ranges are in no such order, spans are joined until it holds. */
static void sequence_find_spans(sequence_call *t) {
  sequence_span *spans = t->spans;
  int64_t count = 0;
  for (int64_t row = 0; row < t->rows; row++) {
    int64_t start, stop;
    sequence_sees(t, row, &start, &stop);
    if (start == stop) continue;
    if (count == 0 || start >= spans[count - 1].to) {
      spans[count] = (sequence_span){count == 0 ? 0 : (int32_t)row, (int32_t)start, (int32_t)stop, 0};
      count++;
    }
    sequence_span *span = &spans[count - 1];
    if (stop > span->to) span->to = (int32_t)stop;
    if (start < span->from) span->from = (int32_t)start;
    span->cost += stop - start + HH_SEQUENCE_ROWS;
    for (; count > 1 && span->from < span[-1].to; count--, span--) {
      if (span->to > span[-1].to) span[-1].to = span->to;
      if (span->from < span[-1].from) span[-1].from = span->from;
      span[-1].cost += span->cost;
    }
  }
  if (count == 0) spans[count++] = (sequence_span){0, 0, 0, 1};
  t->span_count = count;
}

/* ------------------------------------------------------------------ tiles */

/* Sets up a tile of rows from `row` on, before `end`. */
static void sequence_set_tile(const sequence_call *t, sequence_tile *tile, int64_t row, int64_t end) {
  tile->row = row;
  tile->count = earlier(HH_SEQUENCE_ROWS, end - row);
  tile->from = INT64_MAX, tile->to = 0, tile->all_from = 0, tile->all_to = INT64_MAX;
  for (int64_t i = 0; i < HH_SEQUENCE_ROWS; i++) {
    tile->start[i] = 0.0f, tile->stop[i] = 0.0f, tile->origin[i] = 0;
    if (i >= tile->count) continue;
    int64_t start, stop;
    sequence_sees(t, row + i, &start, &stop);
    tile->start[i] = (float)start, tile->stop[i] = (float)stop;
    if (t->bias) tile->origin[i] = t->first[row + i] + t->positions[row + i];
    tile->all_from = later(tile->all_from, start), tile->all_to = earlier(tile->all_to, stop);
    if (start < stop) tile->from = earlier(tile->from, start), tile->to = later(tile->to, stop);
  }
  if (tile->from > tile->to) tile->from = tile->to;
}

/* Where the bias of a lane's distance from a key lies in a table of biases, or of their gradients. */
HH_INLINE int64_t sequence_bias_index(const sequence_call *t, const sequence_tile *tile, int64_t lane, int64_t key) {
  const int64_t distance = key - tile->origin[lane];
  const int64_t within = distance < -t->reach ? -t->reach : distance > t->reach ? t->reach : distance;
  return t->buckets[within + t->reach] * t->heads + tile->head;
}

static f32x16 sequence_biases(const sequence_call *t, const sequence_tile *tile, int64_t vector, int64_t key) {
  float lanes[HH_LANES];
  for (int64_t i = 0; i < HH_LANES; i++) lanes[i] = t->bias[sequence_bias_index(t, tile, vector * HH_LANES + i, key)];
  return load16(lanes);
}

/* The score, or -infinity where a lane does not see the key. */
HH_INLINE f32x16 sequence_mask(const sequence_tile *tile, int64_t vector, int64_t key, f32x16 score) {
  const f32x16 at = splat16((float)key), absent = splat16(-__builtin_inff());
  const f32x16 begun = where_less(at, load16(tile->start + vector * HH_LANES), absent, score);
  return where_less(at, load16(tile->stop + vector * HH_LANES), begun, absent);
}

/* Scale, soft cap, bias and mask of a vector of queries, in place. Returns the largest scores. */
static f32x16 sequence_finish_scores(const sequence_call *t, const sequence_tile *tile, int64_t vector) {
  const f32x16 scale = splat16(t->scale), cap = splat16(t->cap), one = splat16(1.0f);
  f32x16 largest = splat16(-1e30f);
  for (int64_t key = tile->from; key < tile->to; key++) {
    const int64_t at = (key - tile->from) * HH_SEQUENCE_ROWS + vector * HH_LANES;
    f32x16 score = mul16(load16(t->scores + at), scale);
    if (t->slopes) {
      const f32x16 bent = tanh16(div16(score, cap));
      store16(t->slopes + at, sub16(one, mul16(bent, bent)));
      score = mul16(cap, bent);
    }
    if (t->bias) score = add16(score, sequence_biases(t, tile, vector, key));
    if (key < tile->all_from || key >= tile->all_to) score = sequence_mask(tile, vector, key, score);
    largest = max16(largest, score);
    store16(t->scores + at, score);
  }
  return largest;
}

/* The scores of a vector of queries become exponentials. Returns 1 / their sums; 0 for a query that sees nothing. */
static f32x16 sequence_exponentials(const sequence_call *t, const sequence_tile *tile, int64_t vector) {
  const f32x16 largest = sequence_finish_scores(t, tile, vector), zero = splat16(0.0f);
  f32x16 sum = zero;
  float *at = t->scores + vector * HH_LANES;
  for (int64_t key = tile->from; key < tile->to; key++, at += HH_SEQUENCE_ROWS) {
    const f32x16 e = exp_falling16(sub16(load16(at), largest));
    store16(at, e);
    sum = add16(sum, e);
  }
  /* Not a number stays what it is. */
  const f32x16 inverse = div16(splat16(1.0f), sum);
  return where_less(sum, splat16(1e-30f), zero, inverse);
}

/* Adds the gradients of a vector of scores to those of their biases. */
static void sequence_add_bias_gradients(const sequence_call *t, const sequence_tile *tile, int64_t vector, int64_t key,
                                        f32x16 gradient) {
  float lanes[HH_LANES];
  store16(lanes, gradient);
  for (int64_t i = 0; i < earlier(HH_LANES, tile->count - vector * HH_LANES); i++)
    t->dbias[sequence_bias_index(t, tile, vector * HH_LANES + i, key)] += lanes[i];
}

/* From scores and gradients of probabilities of a vector of queries, in place: probabilities p, and the gradients of the
 * products of query and key, p (dp - sum of p dp), by slope and scale. */
static void sequence_score_gradients(const sequence_call *t, const sequence_tile *tile, int64_t vector) {
  const f32x16 inverse = sequence_exponentials(t, tile, vector), scale = splat16(t->scale);
  const int64_t end = (tile->to - tile->from) * HH_SEQUENCE_ROWS, from = vector * HH_LANES;
  f32x16 sum = splat16(0.0f);
  for (int64_t at = from; at < end; at += HH_SEQUENCE_ROWS) {
    const f32x16 p = mul16(load16(t->scores + at), inverse);
    store16(t->scores + at, p);
    sum = fma16(p, load16(t->gradients + at), sum);
  }
  for (int64_t at = from; at < end; at += HH_SEQUENCE_ROWS) {
    f32x16 gradient = mul16(load16(t->scores + at), sub16(load16(t->gradients + at), sum));
    if (t->dbias) sequence_add_bias_gradients(t, tile, vector, tile->from + at / HH_SEQUENCE_ROWS, gradient);
    if (t->slopes) gradient = mul16(gradient, load16(t->slopes + at));
    store16(t->gradients + at, mul16(gradient, scale));
  }
}

#endif
