/* Tiles of queries that attend together: their scores, and the sums of values that these weigh. See attention.c. */
#ifndef HH_ATTENTION_TILE_H
#define HH_ATTENTION_TILE_H

#include "cache_codecs.h"
#include "functions.h"

/* Queries (heads x rows) in a tile. src/backends/cpu/lower.ts reserves scratch for as many. */
#define HH_TILE_QUERIES 48
/* Positions that all queries of a tile cross before the next ones: their values stay in the nearest cache. */
#define HH_STRETCH_POSITIONS 64
#define HH_STRETCH_BLOCKS (HH_STRETCH_POSITIONS / HH_LANES)
/* Blocks that are decoded at a time, where they have to be: a stretch of one head, or one block of each of as many.
 * src/backends/cpu/lower.ts reserves scratch for as many. */
#define HH_DECODED_BLOCKS 8

/* Chains side by side: queries x blocks of scores, queries x vectors of outputs. HH_SIDE_MIXED: vectors of outputs of as
 * many heads. */
#if HH_WIDTH == 16
#define HH_SIDE_QUERIES 6
#define HH_SIDE_BLOCKS 4
#define HH_SIDE_MIXED 8
#elif HH_WIDTH == 8
#define HH_SIDE_QUERIES 2
#define HH_SIDE_BLOCKS 2
#define HH_SIDE_MIXED 4
#else
#define HH_SIDE_QUERIES 2
#define HH_SIDE_BLOCKS 1
#define HH_SIDE_MIXED 2
#endif

/* A cache of keys or of values. */
typedef struct {
  const uint8_t *blocks;
  int64_t codec, part_bytes, keys;
} attention_cache;

typedef struct {
  attention_cache keys, values;
  const int32_t *tables, *sequences, *visible, *positions, *buckets;
  const float *bias;
  int64_t reach, table_width, heads, kv_heads, head_dim, window;
  float scale, cap;
  float *scores;  /* (HH_TILE_QUERIES, 16 * table_width) of this thread */
  float *decoded; /* (HH_DECODED_BLOCKS, 16 * headDim) of this thread, and 16 more */
} attention_call;

typedef struct {
  const float *query; /* (headDim) */
  float *y;           /* (headDim) */
  int64_t row, head, kv_head;
  int64_t start, end; /* the positions that it sees */
} attention_query;

typedef struct {
  attention_query queries[HH_TILE_QUERIES];
  int64_t count;
  const int32_t *table; /* of their sequence */
  int64_t first;        /* block of the first score in the scratch buffer */
} attention_tile;

static attention_call attention_arguments(const hh_call *call) {
  const hh_word *a = call->arguments;
  const attention_cache keys = {address(a[2]), a[19], cache_part_bytes(a[19], a[14]), 1};
  const attention_cache values = {address(a[3]), a[20], cache_part_bytes(a[20], a[14]), 0};
  attention_call t = {keys, values, address(a[4]), address(a[5]), address(a[6]), address(a[7]),
                      address(a[8]), address(a[9]), a[10], a[11], a[12], a[13], a[14], a[17],
                      float_argument(a[15]), float_argument(a[16]), 0, 0};
  t.scores = (float *)address(a[18]) + call->thread * HH_TILE_QUERIES * HH_LANES * t.table_width;
  t.decoded = (float *)address(a[21]) + call->thread * HH_LANES * (HH_DECODED_BLOCKS * t.head_dim + 1);
  return t;
}

/* A block of keys or values as a query of a tile sees it: where it lies, or decoded to a place of its own. Places are
 * filled from the first on: what is stored beyond the end of one is overwritten with the next. */
HH_INLINE const float *attention_block(const attention_call *t, const attention_tile *tile, const attention_cache *cache,
                                       int64_t query, int64_t block, int64_t place) {
  const int64_t part = tile->table[block] * t->kv_heads + tile->queries[query].kv_head;
  const uint8_t *bytes = cache->blocks + part * cache->part_bytes;
  if (cache->codec == HH_CACHE_F32) return (const float *)bytes;
  float *decoded = t->decoded + place * HH_LANES * t->head_dim;
  decode_part(decoded, bytes, cache->codec, t->head_dim, cache->keys);
  return decoded;
}

HH_INLINE float *attention_scores(const attention_call *t, int64_t query) {
  return t->scores + query * HH_LANES * t->table_width;
}

/* ------------------------------------------------------------------ scores */

/* Scaled scores of `queries` queries that share keys, over `blocks` blocks, whose keys are at `keys`. */
HH_INLINE void score_chains(const attention_call *t, const attention_tile *tile, const float *const *keys, int64_t query,
                            int64_t block, const int queries, const int blocks) {
  const float *from[HH_SIDE_MIXED];
  f32x16 sum[HH_SIDE_MIXED][HH_SIDE_BLOCKS];
  const f32x16 scale = splat16(t->scale);
  HH_UNROLL for (int q = 0; q < queries; q++) {
    from[q] = tile->queries[query + q].query;
    HH_UNROLL for (int b = 0; b < blocks; b++) sum[q][b] = splat16(0.0f);
  }
  for (int64_t i = 0; i < t->head_dim; i++) {
    f32x16 key[HH_SIDE_BLOCKS];
    HH_UNROLL for (int b = 0; b < blocks; b++) key[b] = load16(keys[b] + i * HH_LANES);
    HH_UNROLL for (int q = 0; q < queries; q++) {
      const f32x16 value = splat16(from[q][i]);
      HH_UNROLL for (int b = 0; b < blocks; b++) sum[q][b] = fma16(value, key[b], sum[q][b]);
    }
  }
  HH_UNROLL for (int q = 0; q < queries; q++)
    HH_UNROLL for (int b = 0; b < blocks; b++)
      store16(attention_scores(t, query + q) + (block + b - tile->first) * HH_LANES, mul16(sum[q][b], scale));
}

HH_INLINE void score_side(const attention_call *t, const attention_tile *tile, int64_t query, int64_t count,
                          int64_t block, const int blocks) {
  const int64_t end = query + count;
  const float *keys[HH_SIDE_BLOCKS];
  for (int b = 0; b < blocks; b++) keys[b] = attention_block(t, tile, &t->keys, query, block + b, b);
#if HH_SIDE_QUERIES >= 4
  /* A single block: twice the queries, to have as many chains. */
  if (blocks == 1)
    for (; query + HH_SIDE_MIXED <= end; query += HH_SIDE_MIXED) score_chains(t, tile, keys, query, block, HH_SIDE_MIXED, blocks);
#endif
  for (; query + HH_SIDE_QUERIES <= end; query += HH_SIDE_QUERIES)
    score_chains(t, tile, keys, query, block, HH_SIDE_QUERIES, blocks);
#if HH_SIDE_QUERIES >= 4
  if (query + 4 <= end) {
    score_chains(t, tile, keys, query, block, 4, blocks);
    query += 4;
  }
  if (query + 2 <= end) {
    score_chains(t, tile, keys, query, block, 2, blocks);
    query += 2;
  }
#endif
  if (query < end) score_chains(t, tile, keys, query, block, 1, blocks);
}

/* Scaled scores of `count` queries that share keys, over whole blocks, `from` to `to`. */
static void score_range(const attention_call *t, const attention_tile *tile, int64_t query, int64_t count, int64_t from,
                        int64_t to) {
  int64_t block = from;
  for (; block + HH_SIDE_BLOCKS <= to; block += HH_SIDE_BLOCKS) score_side(t, tile, query, count, block, HH_SIDE_BLOCKS);
#if HH_SIDE_BLOCKS >= 4
  if (block + 2 <= to) {
    score_side(t, tile, query, count, block, 2);
    block += 2;
  }
#endif
  for (; block < to; block++) score_side(t, tile, query, count, block, 1);
}

static void add_relative_bias(const attention_call *t, const attention_query *q, int64_t block, float *scores) {
  for (int64_t lane = 0; lane < HH_LANES; lane++) {
    int64_t distance = block * HH_LANES + lane - t->positions[q->row];
    distance = distance < -t->reach ? -t->reach : distance > t->reach ? t->reach : distance;
    scores[lane] += t->bias[t->buckets[distance + t->reach] * t->heads + q->head];
  }
}

/* Soft cap and bias, in place; what the query does not see becomes -infinity. */
static void finish_scores(const attention_call *t, const attention_tile *tile, int64_t query) {
  const attention_query *q = &tile->queries[query];
  float *scores = attention_scores(t, query) - tile->first * HH_LANES;
  const int64_t first = q->start / HH_LANES, last = (q->end - 1) / HH_LANES;
  const f32x16 cap = splat16(t->cap);
  if (t->cap > 0 || t->bias)
    for (int64_t block = first; block <= last; block++) {
      float *at = scores + block * HH_LANES;
      if (t->cap > 0) store16(at, mul16(cap, tanh16(div16(load16(at), cap))));
      if (t->bias) add_relative_bias(t, q, block, at);
    }
  for (int64_t i = first * HH_LANES; i < q->start; i++) scores[i] = -__builtin_inff();
  for (int64_t i = q->end; i < (last + 1) * HH_LANES; i++) scores[i] = -__builtin_inff();
}

/* exp(score - largest), in place. Returns the sum. */
static float exponentials(const attention_call *t, const attention_tile *tile, int64_t query) {
  const attention_query *q = &tile->queries[query];
  float *scores = attention_scores(t, query) - tile->first * HH_LANES;
  const int64_t from = q->start / HH_LANES * HH_LANES;
  f32x16 largest = load16(scores + from), sum = splat16(0.0f);
  for (int64_t i = from; i < q->end; i += HH_LANES) largest = max16(largest, load16(scores + i));
  largest = splat16(largest_of(largest));
  for (int64_t i = from; i < q->end; i += HH_LANES) {
    const f32x16 e = exp_falling16(sub16(load16(scores + i), largest));
    store16(scores + i, e);
    sum = add16(sum, e);
  }
  return sum_of(sum);
}

/* ------------------------------------------------------------------ values */

/* y += exponential * value over the positions [from, to), for `vectors` x 16 elements from `element` on, of `queries`
 * queries. `blocks`: where the values of each block of the stretch are. `mixed`: each query has values of its own, all of
 * the same sequence, and `blocks` is none. */
HH_INLINE void value_chains(const attention_call *t, const attention_tile *tile, const float *const *blocks,
                            int64_t query, int64_t element, int64_t from, int64_t to, const int queries,
                            const int vectors, const int mixed) {
  f32x16 sum[HH_SIDE_MIXED][HH_SIDE_BLOCKS];
  const float *weights[HH_SIDE_MIXED], *values[HH_SIDE_MIXED];
  HH_UNROLL for (int q = 0; q < queries; q++) {
    weights[q] = attention_scores(t, query + q) - tile->first * HH_LANES;
    HH_UNROLL for (int v = 0; v < vectors; v++) {
      const int64_t at = element + v * HH_LANES;
      sum[q][v] = load_some(tile->queries[query + q].y + at, t->head_dim - at);
    }
  }
  for (int64_t position = from; position < to;) {
    const int64_t block = position / HH_LANES, stop = (block + 1) * HH_LANES < to ? (block + 1) * HH_LANES : to;
    const int each = mixed ? queries : 1;
    HH_UNROLL for (int q = 0; q < each; q++) {
      const float *at = mixed ? attention_block(t, tile, &t->values, query + q, block, q) : blocks[block % HH_STRETCH_BLOCKS];
      values[q] = at - block * HH_LANES * t->head_dim + element;
    }
    for (; position < stop; position++) {
      f32x16 value[HH_SIDE_BLOCKS];
      /* May read beyond the last element: those lanes are not stored. */
      HH_UNROLL for (int v = 0; v < vectors; v++) value[v] = load16(values[0] + position * t->head_dim + v * HH_LANES);
      HH_UNROLL for (int q = 0; q < queries; q++) {
        const f32x16 weight = splat16(weights[q][position]);
        HH_UNROLL for (int v = 0; v < vectors; v++) {
          if (mixed) value[v] = load16(values[q] + position * t->head_dim + v * HH_LANES);
          sum[q][v] = fma16(weight, value[v], sum[q][v]);
        }
      }
    }
  }
  HH_UNROLL for (int q = 0; q < queries; q++)
    HH_UNROLL for (int v = 0; v < vectors; v++) {
      const int64_t at = element + v * HH_LANES;
      store_some(tile->queries[query + q].y + at, sum[q][v], t->head_dim - at);
    }
}

/* All elements of `queries` queries that share values. */
HH_INLINE void value_side(const attention_call *t, const attention_tile *tile, const float *const *blocks,
                          int64_t query, int64_t from, int64_t to, const int queries) {
  if (from >= to) return;
  int64_t i = 0;
  for (; i + HH_SIDE_BLOCKS * HH_LANES <= t->head_dim; i += HH_SIDE_BLOCKS * HH_LANES)
    value_chains(t, tile, blocks, query, i, from, to, queries, HH_SIDE_BLOCKS, 0);
#if HH_SIDE_BLOCKS >= 4
  if (i + 2 * HH_LANES < t->head_dim) {
    value_chains(t, tile, blocks, query, i, from, to, queries, 3, 0);
    i += 3 * HH_LANES;
  } else if (i + HH_LANES < t->head_dim) {
    value_chains(t, tile, blocks, query, i, from, to, queries, 2, 0);
    i += 2 * HH_LANES;
  }
#endif
  for (; i < t->head_dim; i += HH_LANES) value_chains(t, tile, blocks, query, i, from, to, queries, 1, 0);
}

/* Queries side by side over a stretch of positions: those that all see together, what only some see one by one. */
HH_INLINE void value_group(const attention_call *t, const attention_tile *tile, const float *const *blocks,
                           int64_t query, int64_t from, int64_t to, const int queries) {
  const attention_query *q = &tile->queries[query];
  int64_t start = q[0].start, end = q[0].end;
  HH_UNROLL for (int i = 1; i < queries; i++) start = later(start, q[i].start), end = earlier(end, q[i].end);
  end = later(end, start);
  if (queries > 1)
    for (int i = 0; i < queries; i++)
      value_side(t, tile, blocks, query + i, later(from, q[i].start), earlier(to, earlier(start, q[i].end)), 1);
  value_side(t, tile, blocks, query, later(from, start), earlier(to, end), queries);
  if (queries > 1)
    for (int i = 0; i < queries; i++) value_side(t, tile, blocks, query + i, later(from, end), earlier(to, q[i].end), 1);
}

/* All queries of a tile, which share values. */
static void value_tile(const attention_call *t, const attention_tile *tile, int64_t first, int64_t last) {
  for (int64_t from = first / HH_LANES * HH_LANES; from < last; from += HH_STRETCH_POSITIONS) {
    const int64_t to = earlier(from + HH_STRETCH_POSITIONS, last);
    const float *blocks[HH_STRETCH_BLOCKS];
    for (int64_t block = from / HH_LANES, place = 0; block * HH_LANES < to; block++, place++)
      blocks[block % HH_STRETCH_BLOCKS] = attention_block(t, tile, &t->values, 0, block, place);
    int64_t query = 0;
    for (; query + HH_SIDE_QUERIES <= tile->count; query += HH_SIDE_QUERIES)
      value_group(t, tile, blocks, query, from, to, HH_SIDE_QUERIES);
#if HH_SIDE_QUERIES >= 4
    if (query + 4 <= tile->count) {
      value_group(t, tile, blocks, query, from, to, 4);
      query += 4;
    }
    if (query + 2 <= tile->count) {
      value_group(t, tile, blocks, query, from, to, 2);
      query += 2;
    }
#endif
    if (query < tile->count) value_group(t, tile, blocks, query, from, to, 1);
  }
}

#endif
