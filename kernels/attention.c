/* Scaled dot-product attention of each row over the cached keys and values of its sequence; and its weights, for
 * looking at.
 *
 * Arguments: 0 y, 1 query (rows, heads * headDim), 2 keys (blocks of (kvHeads, headDim, 16)), 3 values (blocks of
 * (kvHeads, 16, headDim)), 4 block tables (sequences, tableWidth), 5 sequences (rows), 6 visible (rows), 7 positions
 * (rows) or 0, 8 buckets (2 reach + 1), 9 bias (buckets, heads), 10 reach, 11 tableWidth, 12 heads, 13 kvHeads,
 * 14 headDim, 15 scale (float), 16 soft cap (float; 0: off), 17 window (0: all), 18 scratch: per thread
 * HH_TILE_QUERIES * 16 * tableWidth floats. Weights also: 19 keys in a row of y, 20 probabilities, else scores.
 *
 * A score is a chain of fused multiply-adds over headDim = 0, 1, 2, ...; then scale, soft cap, bias. Exponentials are
 * summed in 16 lanes (lane = position % 16), block after block, then across lanes. An output is a chain of fused
 * multiply-adds over the positions in order, divided by that sum at the end. Tiles of rows and heads that share keys
 * only decide which chains run side by side. Vaswani et al., 2017 (arXiv:1706.03762). */

/* Queries (heads x rows) in a tile: all read the same keys. src/backends/cpu/lower.ts reserves scratch for as many. */
#define HH_TILE_QUERIES 16

/* Chains side by side: queries x blocks of scores, queries x vectors of outputs. */
#if HH_WIDTH == 16
#define HH_SIDE_QUERIES 4
#define HH_SIDE_BLOCKS 4
#elif HH_WIDTH == 8
#define HH_SIDE_QUERIES 2
#define HH_SIDE_BLOCKS 2
#else
#define HH_SIDE_QUERIES 2
#define HH_SIDE_BLOCKS 1
#endif

typedef struct {
  const float *keys, *values;
  const int32_t *tables, *sequences, *visible, *positions, *buckets;
  const float *bias;
  int64_t reach, table_width, heads, kv_heads, head_dim, window;
  float scale, cap;
  float *scores; /* (HH_TILE_QUERIES, 16 * table_width) of this thread */
} attention_call;

typedef struct {
  const float *query; /* (headDim) */
  float *y;           /* (headDim) */
  int64_t row, head;
  int64_t start, end; /* the positions that it sees */
} attention_query;

typedef struct {
  attention_query queries[HH_TILE_QUERIES];
  int64_t count;
  int64_t kv_head;
  const int32_t *table; /* of their sequence */
  int64_t first;        /* block of the first score in the scratch buffer */
} attention_tile;

static attention_call attention_arguments(const hh_call *call) {
  const hh_word *a = call->arguments;
  attention_call t = {address(a[2]), address(a[3]), address(a[4]), address(a[5]), address(a[6]), address(a[7]),
                      address(a[8]), address(a[9]), a[10], a[11], a[12], a[13], a[14], a[17],
                      float_argument(a[15]), float_argument(a[16]), 0};
  t.scores = (float *)address(a[18]) + call->thread * HH_TILE_QUERIES * HH_LANES * t.table_width;
  return t;
}

HH_INLINE const float *attention_block(const attention_call *t, const attention_tile *tile, const float *cache,
                                       int64_t block) {
  return cache + (tile->table[block] * t->kv_heads + tile->kv_head) * t->head_dim * HH_LANES;
}

HH_INLINE float *attention_scores(const attention_call *t, int64_t query) {
  return t->scores + query * HH_LANES * t->table_width;
}

/* ------------------------------------------------------------------ scores */

HH_INLINE void score_blocks(const attention_call *t, const attention_tile *tile, int64_t query, int64_t block,
                            const int queries, const int blocks) {
  const float *keys[HH_SIDE_BLOCKS], *from[HH_SIDE_QUERIES];
  f32x16 sum[HH_SIDE_QUERIES][HH_SIDE_BLOCKS];
  HH_UNROLL for (int b = 0; b < blocks; b++) keys[b] = attention_block(t, tile, t->keys, block + b);
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
      store16(attention_scores(t, query + q) + (block + b - tile->first) * HH_LANES, sum[q][b]);
}

/* Raw scores of all queries of a tile over whole blocks, `from` to `to`. */
static void score_tile(const attention_call *t, const attention_tile *tile, int64_t from, int64_t to) {
  int64_t block = from;
  for (; block + HH_SIDE_BLOCKS <= to; block += HH_SIDE_BLOCKS) {
    int64_t query = 0;
    for (; query + HH_SIDE_QUERIES <= tile->count; query += HH_SIDE_QUERIES)
      score_blocks(t, tile, query, block, HH_SIDE_QUERIES, HH_SIDE_BLOCKS);
    for (; query < tile->count; query++) score_blocks(t, tile, query, block, 1, HH_SIDE_BLOCKS);
  }
  for (; block < to; block++) {
    int64_t query = 0;
    for (; query + HH_SIDE_QUERIES <= tile->count; query += HH_SIDE_QUERIES)
      score_blocks(t, tile, query, block, HH_SIDE_QUERIES, 1);
    for (; query < tile->count; query++) score_blocks(t, tile, query, block, 1, 1);
  }
}

static void add_relative_bias(const attention_call *t, const attention_query *q, int64_t block, float *scores) {
  for (int64_t lane = 0; lane < HH_LANES; lane++) {
    int64_t distance = block * HH_LANES + lane - t->positions[q->row];
    distance = distance < -t->reach ? -t->reach : distance > t->reach ? t->reach : distance;
    scores[lane] += t->bias[t->buckets[distance + t->reach] * t->heads + q->head];
  }
}

/* Scale, soft cap and bias, in place; what the query does not see becomes -infinity. */
static void finish_scores(const attention_call *t, const attention_tile *tile, int64_t query) {
  const attention_query *q = &tile->queries[query];
  float *scores = attention_scores(t, query) - tile->first * HH_LANES;
  const int64_t first = q->start / HH_LANES, last = (q->end - 1) / HH_LANES;
  const f32x16 scale = splat16(t->scale), cap = splat16(t->cap);
  for (int64_t block = first; block <= last; block++) {
    f32x16 score = mul16(load16(scores + block * HH_LANES), scale);
    if (t->cap > 0) score = mul16(cap, tanh16(div16(score, cap)));
    store16(scores + block * HH_LANES, score);
    if (t->bias) add_relative_bias(t, q, block, scores + block * HH_LANES);
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
    const f32x16 e = exp16(sub16(load16(scores + i), largest));
    store16(scores + i, e);
    sum = add16(sum, e);
  }
  return sum_of(sum);
}

/* ------------------------------------------------------------------ values */

/* y += exponential * value over the positions [from, to), for `vectors` x 16 elements from `element` on. */
HH_INLINE void value_chains(const attention_call *t, const attention_tile *tile, int64_t query, int64_t element,
                            int64_t from, int64_t to, const int queries, const int vectors) {
  f32x16 sum[HH_SIDE_QUERIES][HH_SIDE_BLOCKS];
  const float *weights[HH_SIDE_QUERIES];
  HH_UNROLL for (int q = 0; q < queries; q++) {
    weights[q] = attention_scores(t, query + q) - tile->first * HH_LANES;
    HH_UNROLL for (int v = 0; v < vectors; v++) {
      const int64_t at = element + v * HH_LANES;
      sum[q][v] = load_some(tile->queries[query + q].y + at, t->head_dim - at);
    }
  }
  for (int64_t position = from; position < to;) {
    const int64_t block = position / HH_LANES, stop = (block + 1) * HH_LANES < to ? (block + 1) * HH_LANES : to;
    const float *values = attention_block(t, tile, t->values, block) - block * HH_LANES * t->head_dim + element;
    for (; position < stop; position++) {
      f32x16 value[HH_SIDE_BLOCKS];
      /* May read beyond the last element: those lanes are not stored. */
      HH_UNROLL for (int v = 0; v < vectors; v++) value[v] = load16(values + position * t->head_dim + v * HH_LANES);
      HH_UNROLL for (int q = 0; q < queries; q++) {
        const f32x16 weight = splat16(weights[q][position]);
        HH_UNROLL for (int v = 0; v < vectors; v++) sum[q][v] = fma16(weight, value[v], sum[q][v]);
      }
    }
  }
  HH_UNROLL for (int q = 0; q < queries; q++)
    HH_UNROLL for (int v = 0; v < vectors; v++) {
      const int64_t at = element + v * HH_LANES;
      store_some(tile->queries[query + q].y + at, sum[q][v], t->head_dim - at);
    }
}

static void value_range(const attention_call *t, const attention_tile *tile, int64_t query, int64_t queries,
                        int64_t from, int64_t to) {
  if (from >= to) return;
  int64_t q = query;
  for (; q + HH_SIDE_QUERIES <= query + queries; q += HH_SIDE_QUERIES) {
    int64_t i = 0;
    for (; i + HH_SIDE_BLOCKS * HH_LANES <= t->head_dim; i += HH_SIDE_BLOCKS * HH_LANES)
      value_chains(t, tile, q, i, from, to, HH_SIDE_QUERIES, HH_SIDE_BLOCKS);
    for (; i < t->head_dim; i += HH_LANES) value_chains(t, tile, q, i, from, to, HH_SIDE_QUERIES, 1);
  }
  for (; q < query + queries; q++) {
    int64_t i = 0;
    for (; i + HH_SIDE_BLOCKS * HH_LANES <= t->head_dim; i += HH_SIDE_BLOCKS * HH_LANES)
      value_chains(t, tile, q, i, from, to, 1, HH_SIDE_BLOCKS);
    for (; i < t->head_dim; i += HH_LANES) value_chains(t, tile, q, i, from, to, 1, 1);
  }
}

/* ------------------------------------------------------------------ tiles */

/* The positions that a row sees. */
HH_INLINE void attention_sees(const attention_call *t, attention_query *q) {
  q->end = t->visible[q->row];
  q->start = t->window > 0 && q->end > t->window ? q->end - t->window : 0;
}

static void attend(const attention_call *t, attention_tile *tile) {
  int64_t first = INT64_MAX, last = 0, common_start = 0, common_end = INT64_MAX;
  for (int64_t q = 0; q < tile->count; q++) {
    const attention_query *query = &tile->queries[q];
    if (query->start < first) first = query->start;
    if (query->end > last) last = query->end;
    if (query->start > common_start) common_start = query->start;
    if (query->end < common_end) common_end = query->end;
  }
  if (common_end < common_start) common_end = common_start;
  tile->first = first / HH_LANES;
  score_tile(t, tile, tile->first, (last + HH_LANES - 1) / HH_LANES);
  float sums[HH_TILE_QUERIES];
  for (int64_t q = 0; q < tile->count; q++) {
    const attention_query *query = &tile->queries[q];
    finish_scores(t, tile, q);
    sums[q] = exponentials(t, tile, q);
    memset(query->y, 0, (size_t)t->head_dim * sizeof(float));
    value_range(t, tile, q, 1, query->start, common_start < query->end ? common_start : query->end);
  }
  value_range(t, tile, 0, tile->count, common_start, common_end);
  for (int64_t q = 0; q < tile->count; q++) {
    const attention_query *query = &tile->queries[q];
    value_range(t, tile, q, 1, common_end, query->end);
    const f32x16 factor = splat16(1.0f / sums[q]);
    for (int64_t i = 0; i < t->head_dim; i += HH_LANES)
      store_some(query->y + i, mul16(load_some(query->y + i, t->head_dim - i), factor), t->head_dim - i);
  }
  tile->count = 0;
}

/* Work is divided into (rows, key-value head, heads of it): rows * heads of a tile at most HH_TILE_QUERIES. */
static void attention(const hh_call *call) {
  const hh_word *a = call->arguments;
  const attention_call t = attention_arguments(call);
  float *y = address(a[0]);
  const float *x = address(a[1]);
  const int64_t group = t.heads / t.kv_heads;
  int64_t heads_each = group < HH_TILE_QUERIES ? group : HH_TILE_QUERIES;
  if (call->rows * t.kv_heads < 4 * call->share.count && call->share.count > 1) heads_each = 1;
  const int64_t parts = (group + heads_each - 1) / heads_each;
  const int64_t rows_each = call->rows < 2 * call->share.count ? 1 : HH_TILE_QUERIES / heads_each;
  const int64_t row_tiles = (call->rows + rows_each - 1) / rows_each, units = row_tiles * t.kv_heads * parts;
  const int64_t end = share_start(units, call->share.index + 1, call->share.count);
  attention_tile tile = {.count = 0};
  for (int64_t unit = share_start(units, call->share.index, call->share.count); unit < end; unit++) {
    const int64_t kv_head = unit / parts % t.kv_heads, from_row = unit / parts / t.kv_heads * rows_each;
    const int64_t from_head = unit % parts * heads_each;
    for (int64_t row = from_row; row < from_row + rows_each && row < call->rows; row++) {
      const int32_t *table = t.tables + t.sequences[row] * t.table_width;
      if (tile.count > 0 && (table != tile.table || kv_head != tile.kv_head)) attend(&t, &tile);
      tile.table = table;
      tile.kv_head = kv_head;
      for (int64_t h = from_head; h < from_head + heads_each && h < group; h++) {
        const int64_t head = kv_head * group + h, at = (row * t.heads + head) * t.head_dim;
        attention_query q = {x + at, y + at, row, head, 0, 0};
        attention_sees(&t, &q);
        if (q.end > 0) tile.queries[tile.count++] = q;
        else memset(q.y, 0, (size_t)t.head_dim * sizeof(float));
      }
    }
    if (tile.count > 0) attend(&t, &tile);
  }
}

static void attention_weights(const hh_call *call) {
  const hh_word *a = call->arguments;
  const attention_call t = attention_arguments(call);
  const float *x = address(a[1]);
  const int64_t keys = a[19], total = call->rows * t.heads;
  const float absent = a[20] ? 0.0f : -__builtin_inff();
  const int64_t end = share_start(total, call->share.index + 1, call->share.count);
  for (int64_t i = share_start(total, call->share.index, call->share.count); i < end; i++) {
    float *y = (float *)address(a[0]) + i * keys;
    attention_tile tile = {.count = 1, .kv_head = i % t.heads / (t.heads / t.kv_heads)};
    attention_query *q = tile.queries;
    *q = (attention_query){x + i * t.head_dim, y, i / t.heads, i % t.heads, 0, 0};
    attention_sees(&t, q);
    tile.table = t.tables + t.sequences[q->row] * t.table_width;
    tile.first = q->start / HH_LANES;
    for (int64_t k = 0; k < keys; k++) y[k] = absent;
    if (q->end == 0) continue;
    score_tile(&t, &tile, tile.first, (q->end + HH_LANES - 1) / HH_LANES);
    finish_scores(&t, &tile, 0);
    const float factor = a[20] ? 1.0f / exponentials(&t, &tile, 0) : 1.0f;
    const float *scores = attention_scores(&t, 0) - tile.first * HH_LANES;
    for (int64_t k = q->start; k < q->end && k < keys; k++) y[k] = scores[k] * factor;
  }
}
