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

/* Rows of a head that are needed next, of several matrices, to be brought nearer bit by bit meanwhile: a head's rows lie
 * apart, so the processor does not foresee them. */
typedef struct {
  const char *from;
  int64_t stride, pieces; /* of a row, all of them */
  int64_t rows, lines; /* lines of a piece */
  int64_t written;
} sequence_rows_ahead;

typedef struct {
  sequence_rows_ahead matrix[6]; /* the last one's turn comes first */
  int64_t matrices, piece;
} sequence_ahead;

/* Bytes that are brought nearer at a time. */
#define HH_SEQUENCE_PIECE 256

/* Matrices by number, where some are of bfloat16, as round_rows leaves them. */
enum {
  HH_SEQUENCE_QUERY = 1,
  HH_SEQUENCE_KEY = 2,
  HH_SEQUENCE_VALUE = 4,
  HH_SEQUENCE_DY = 8,
  HH_SEQUENCE_DKEY = 16,
  HH_SEQUENCE_DVALUE = 32
};

typedef struct {
  const float *query, *key, *value, *dy;
  const int32_t *first, *end, *positions, *buckets;
  const float *bias;
  float *y, *dquery, *dkey, *dvalue, *dbias;
  int64_t rows, key_rows, key_capacity, reach, bucket_count, heads, kv_heads, head_dim, window;
  float scale, cap;
  int64_t rounded; /* y is of bfloat16 */
  int64_t halves;  /* which other matrices are, on matrix units alone */
  /* Scratch of this thread. */
  float *scores, *slopes, *gradients;   /* (keys, HH_SEQUENCE_ROWS); slopes: NULL without a soft cap */
  float *query_lanes, *dy_lanes, *out_lanes; /* (headDim, HH_SEQUENCE_ROWS) */
  sequence_span *spans;
  int64_t span_count;
  char *rest; /* of the scratch */
  int64_t matrix_units; /* whether products are in bfloat16 on matrix units: then also (sequence_attention_amx.h) */
  uint16_t *key_halves, *value_halves, *columns, *query_halves, *pairs;
  struct sequence_amx_slots *slots;
  int64_t stretch_from;
  float *key_sums, *value_sums;
  sequence_ahead *ahead;
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

/* The keys [first, stop) that a row may see, of which a window may leave some out; first = stop where there are none. */
HH_INLINE void sequence_may_see(const sequence_call *t, int64_t row, int64_t *first, int64_t *stop) {
  *first = t->first[row] > 0 ? t->first[row] : 0;
  *stop = later(*first, earlier(t->end[row], t->key_rows));
}

/* Keys at most, in whole tiles wherever a tile begins. */
HH_INLINE int64_t sequence_padded_keys(const sequence_call *t) {
  return (t->key_capacity + 2 * HH_SEQUENCE_KEYS - 1) / HH_SEQUENCE_KEYS * HH_SEQUENCE_KEYS;
}

/* Takes `count` floats of scratch. */
HH_INLINE float *sequence_take(char **scratch, int64_t count) {
  float *taken = (float *)*scratch;
  *scratch += (count * (int64_t)sizeof(float) + 63) / 64 * 64;
  return taken;
}

/* ------------------------------------------------------------------ spans */

/* Divides the rows into spans of which no two see the same key. Documents that follow each other become one each; where
 * ranges are in no such order, spans are joined until it holds. */
static void sequence_find_spans(sequence_call *t) {
  sequence_span *spans = t->spans;
  int64_t count = 0;
  for (int64_t row = 0; row < t->rows; row++) {
    int64_t start, stop;
    sequence_may_see(t, row, &start, &stop);
    if (start == stop) continue;
    if (count == 0 || start >= spans[count - 1].to) {
      spans[count] = (sequence_span){count == 0 ? 0 : (int32_t)row, (int32_t)start, (int32_t)stop, 0};
      count++;
    }
    sequence_span *span = &spans[count - 1];
    if (stop > span->to) span->to = (int32_t)stop;
    if (start < span->from) span->from = (int32_t)start;
    span->cost += (t->window > 0 ? earlier(stop - start, t->window) : stop - start) + HH_SEQUENCE_ROWS;
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
  const int32_t count = (int32_t)earlier(HH_SEQUENCE_ROWS, end - row), keys = (int32_t)t->key_rows;
  const int32_t window = t->window > 0 && t->window < keys ? (int32_t)t->window : keys;
  int32_t first[HH_SEQUENCE_ROWS], stop[HH_SEQUENCE_ROWS];
  memcpy(first, t->first + row, (size_t)count * sizeof(int32_t));
  memcpy(stop, t->end + row, (size_t)count * sizeof(int32_t));
  /* Lanes without a row see what the last row sees. */
  for (int32_t i = count; i < HH_SEQUENCE_ROWS; i++) first[i] = first[count - 1], stop[i] = stop[count - 1];
  for (int32_t i = 0; t->bias && i < HH_SEQUENCE_ROWS; i++)
    tile->origin[i] = first[i] + t->positions[row + (i < count ? i : count - 1)];
  int32_t from = INT32_MAX, to = 0, all_from = 0, all_to = INT32_MAX;
  for (int32_t i = 0; i < HH_SEQUENCE_ROWS; i++) {
    const int32_t last = stop[i] < keys ? stop[i] : keys, least = last - window > 0 ? last - window : 0;
    const int32_t start = first[i] > least ? first[i] : least, sees = start < last;
    all_from = all_from > start ? all_from : start;
    all_to = all_to < last ? all_to : last;
    from = sees && start < from ? start : from;
    to = sees && last > to ? last : to;
    tile->start[i] = (float)start, tile->stop[i] = (float)last;
  }
  tile->row = row, tile->count = count;
  tile->from = from < to ? from : 0, tile->to = to, tile->all_from = all_from, tile->all_to = all_to;
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

/* What stands for a score where a lane does not see a key; and what the largest score is taken to be at the least. */
#define HH_SEQUENCE_ABSENT -1e30f
#define HH_SEQUENCE_LEAST -1e20f

HH_INLINE f32x16 sequence_mask(const sequence_tile *tile, int64_t vector, int64_t key, f32x16 score) {
  const f32x16 at = splat16((float)key), absent = splat16(HH_SEQUENCE_ABSENT);
  const f32x16 begun = where_less(at, load16(tile->start + vector * HH_LANES), absent, score);
  return where_less(at, load16(tile->stop + vector * HH_LANES), begun, absent);
}

/* Scale, soft cap, bias and mask of a vector of queries, in place. Returns the largest scores. */
static f32x16 sequence_finish_scores(const sequence_call *t, const sequence_tile *tile, int64_t vector) {
  const f32x16 scale = splat16(t->scale), cap = splat16(t->cap), one = splat16(1.0f);
  f32x16 largest = splat16(HH_SEQUENCE_LEAST);
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

/* Brings the next piece nearer. */
HH_INLINE void sequence_bring(sequence_ahead *ahead) {
  if (ahead->matrices == 0) return;
  sequence_rows_ahead *m = &ahead->matrix[ahead->matrices - 1];
  const char *from = m->from + ahead->piece * HH_SEQUENCE_PIECE;
  if (m->written)
    for (int64_t i = 0; i < m->lines; i++) __builtin_prefetch(from + i * 64, 1, 2);
  else
    for (int64_t i = 0; i < m->lines; i++) __builtin_prefetch(from + i * 64, 0, 2);
  if (++ahead->piece < m->pieces) return;
  ahead->piece = 0;
  m->from += m->stride;
  if (--m->rows == 0) ahead->matrices--;
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
    sequence_bring(t->ahead);
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
