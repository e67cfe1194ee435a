/* Scaled dot-product attention of each row over the cached keys and values of its sequence; and its weights, for
 * looking at.
 *
 * Arguments: 0 y, 1 query (rows, heads * headDim), 2 keys (blocks of (kvHeads, headDim, 16)), 3 values (blocks of
 * (kvHeads, 16, headDim)), 4 block tables (sequences, tableWidth), 5 sequences (rows), 6 visible (rows), 7 positions
 * (rows) or 0, 8 buckets (2 reach + 1), 9 bias (buckets, heads), 10 reach, 11 tableWidth, 12 heads, 13 kvHeads,
 * 14 headDim, 15 scale (float), 16 soft cap (float; 0: off), 17 window (0: all), 18 scratch: per thread
 * HH_TILE_QUERIES * 16 * tableWidth floats, 19 codec of keys, 20 codec of values (cache_codecs.h), 21 scratch where one is
 * not plain: per thread 16 * (HH_DECODED_BLOCKS * headDim + 1) floats. Weights also: 22 keys in a row of y,
 * 23 probabilities, else scores.
 *
 * A score is a chain of fused multiply-adds over headDim = 0, 1, 2, ...; then scale, soft cap, bias. Exponentials are
 * summed in 16 lanes (lane = position % 16), block after block, then across lanes. An output is a chain of fused
 * multiply-adds over the positions in order, divided by that sum at the end. Tiles of rows and heads that share keys
 * only decide which chains run side by side. Vaswani et al., 2017 (arXiv:1706.03762). */

#include "attention_tile.h"

/* The positions that a row sees. */
HH_INLINE void attention_sees(const attention_call *t, attention_query *q) {
  q->end = t->visible[q->row];
  q->start = t->window > 0 && q->end > t->window ? q->end - t->window : 0;
}

/* exp(score) of every query of a tile, whose scores are there; their sums. */
static void weigh(const attention_call *t, const attention_tile *tile, float *sums) {
  for (int64_t q = 0; q < tile->count; q++) {
    finish_scores(t, tile, q);
    sums[q] = exponentials(t, tile, q);
    memset(tile->queries[q].y, 0, (size_t)t->head_dim * sizeof(float));
  }
}

static void divide(const attention_call *t, attention_tile *tile, const float *sums) {
  for (int64_t q = 0; q < tile->count; q++) {
    float *y = tile->queries[q].y;
    const f32x16 factor = splat16(1.0f / sums[q]);
    for (int64_t i = 0; i < t->head_dim; i += HH_LANES)
      store_some(y + i, mul16(load_some(y + i, t->head_dim - i), factor), t->head_dim - i);
  }
  tile->count = 0;
}

/* A tile whose queries share keys and values: heads of one group, in some rows of one sequence. */
static void attend(const attention_call *t, attention_tile *tile) {
  int64_t first = INT64_MAX, last = 0;
  for (int64_t q = 0; q < tile->count; q++) {
    first = earlier(first, tile->queries[q].start);
    last = later(last, tile->queries[q].end);
  }
  tile->first = first / HH_LANES;
  float sums[HH_TILE_QUERIES];
  score_range(t, tile, 0, tile->count, tile->first, (last + HH_LANES - 1) / HH_LANES);
  weigh(t, tile, sums);
  value_tile(t, tile, first, last);
  divide(t, tile, sums);
}

/* A tile of small heads of one row, each with keys and values of its own: alone, none would have chains enough. */
static void attend_mixed(const attention_call *t, attention_tile *tile) {
  const attention_query *q = tile->queries;
  const int64_t start = q->start, end = q->end;
  tile->first = start / HH_LANES;
  float sums[HH_TILE_QUERIES];
  for (int64_t query = 0; query < tile->count; query++)
    score_range(t, tile, query, 1, tile->first, (end + HH_LANES - 1) / HH_LANES);
  weigh(t, tile, sums);
  int64_t query = 0;
  for (; query + HH_SIDE_MIXED <= tile->count; query += HH_SIDE_MIXED)
    value_chains(t, tile, NULL, query, 0, start, end, HH_SIDE_MIXED, 1, 1);
  for (; query < tile->count; query++) value_chains(t, tile, NULL, query, 0, start, end, 1, 1, 1);
  divide(t, tile, sums);
}

/* Puts a query into a tile, unless it sees nothing. */
static void add_query(const attention_call *t, attention_tile *tile, const hh_word *a, int64_t row, int64_t head) {
  const int64_t at = (row * t->heads + head) * t->head_dim;
  attention_query q = {(const float *)address(a[1]) + at, (float *)address(a[0]) + at, row, head,
                       head / (t->heads / t->kv_heads), 0, 0};
  attention_sees(t, &q);
  if (q.end > 0) tile->queries[tile->count++] = q;
  else memset(q.y, 0, (size_t)t->head_dim * sizeof(float));
}

HH_INLINE const int32_t *attention_table(const attention_call *t, int64_t row) {
  return t->tables + t->sequences[row] * t->table_width;
}

/* Heads of up to 16 elements, few rows: a unit of work is a row and some of its heads. */
static void attention_narrow(const hh_call *call, const attention_call *t) {
  const int64_t heads_each = earlier(t->heads, HH_SIDE_MIXED), parts = (t->heads + heads_each - 1) / heads_each;
  const int64_t units = call->rows * parts, end = share_start(units, call->share.index + 1, call->share.count);
  attention_tile tile = {.count = 0};
  for (int64_t unit = share_start(units, call->share.index, call->share.count); unit < end; unit++) {
    const int64_t row = unit / parts, first = unit % parts * heads_each;
    tile.table = attention_table(t, row);
    for (int64_t head = first; head < earlier(first + heads_each, t->heads); head++)
      add_query(t, &tile, call->arguments, row, head);
    if (tile.count > 0) attend_mixed(t, &tile);
  }
}

/* Heads of a group that are done together: all, unless that leaves some threads with more than others. */
static int64_t heads_together(const hh_call *call, const attention_call *t, int64_t group) {
  int64_t heads = earlier(group, HH_TILE_QUERIES);
  while (heads > 1) {
    const int64_t units = call->rows * t->kv_heads * ((group + heads - 1) / heads);
    if (units % call->share.count == 0 || units >= 4 * call->share.count) break;
    heads = (heads + 1) / 2;
  }
  return heads;
}

/* Rows of a tile: as many as fit, or a few less where that leaves no queries over. */
static int64_t rows_together(int64_t heads) {
  const int64_t most = HH_TILE_QUERIES / heads;
  for (int64_t rows = most; rows > 0 && rows + HH_SIDE_QUERIES > most; rows--)
    if (rows * heads % HH_SIDE_QUERIES == 0) return rows;
  return most;
}

/* Work is divided into (rows, key-value head, heads of it): rows * heads of a tile at most HH_TILE_QUERIES. */
static void attention(const hh_call *call) {
  const attention_call t = attention_arguments(call);
  const int few_rows = call->rows < 2 * call->share.count;
  if (t.head_dim <= HH_LANES && few_rows) {
    attention_narrow(call, &t);
    return;
  }
  const int64_t group = t.heads / t.kv_heads, heads_each = heads_together(call, &t, group);
  const int64_t parts = (group + heads_each - 1) / heads_each;
  const int64_t rows_each = few_rows ? 1 : rows_together(heads_each);
  const int64_t row_tiles = (call->rows + rows_each - 1) / rows_each, units = row_tiles * t.kv_heads * parts;
  const int64_t end = share_start(units, call->share.index + 1, call->share.count);
  attention_tile tile = {.count = 0};
  for (int64_t unit = share_start(units, call->share.index, call->share.count); unit < end; unit++) {
    const int64_t kv_head = unit / parts % t.kv_heads, from_row = unit / parts / t.kv_heads * rows_each;
    const int64_t first = unit % parts * heads_each;
    for (int64_t row = from_row; row < from_row + rows_each && row < call->rows; row++) {
      const int32_t *table = attention_table(&t, row);
      if (tile.count > 0 && table != tile.table) attend(&t, &tile);
      tile.table = table;
      for (int64_t head = first; head < earlier(first + heads_each, group); head++)
        add_query(&t, &tile, call->arguments, row, kv_head * group + head);
    }
    if (tile.count > 0) attend(&t, &tile);
  }
}

static void attention_weights(const hh_call *call) {
  const hh_word *a = call->arguments;
  const attention_call t = attention_arguments(call);
  const float *x = address(a[1]);
  const int64_t keys = a[22], total = call->rows * t.heads;
  const float absent = a[23] ? 0.0f : -__builtin_inff();
  const int64_t end = share_start(total, call->share.index + 1, call->share.count);
  for (int64_t i = share_start(total, call->share.index, call->share.count); i < end; i++) {
    float *y = (float *)address(a[0]) + i * keys;
    attention_tile tile = {.count = 1};
    attention_query *q = tile.queries;
    *q = (attention_query){x + i * t.head_dim, y, i / t.heads, i % t.heads, i % t.heads / (t.heads / t.kv_heads), 0, 0};
    attention_sees(&t, q);
    tile.table = attention_table(&t, q->row);
    tile.first = q->start / HH_LANES;
    for (int64_t k = 0; k < keys; k++) y[k] = absent;
    if (q->end == 0) continue;
    score_range(&t, &tile, 0, 1, tile.first, (q->end + HH_LANES - 1) / HH_LANES);
    finish_scores(&t, &tile, 0);
    const float factor = a[23] ? 1.0f / exponentials(&t, &tile, 0) : 1.0f;
    const float *scores = attention_scores(&t, 0) - tile.first * HH_LANES;
    for (int64_t k = q->start; k < q->end && k < keys; k++) y[k] = scores[k] * factor;
  }
}
