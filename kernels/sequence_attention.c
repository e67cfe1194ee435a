/* Attention of each row over a range of the rows of key and value, and its gradient: whole sequences at once, as in
 * training. The score matrix is never held: a tile of HH_SEQUENCE_ROWS queries has its scores at a time, and the
 * gradient computes them again.
 *
 * Arguments: 0 y (rows, heads * headDim), or the gradient of query, 1 query, 2 key (keys, kvHeads * headDim), 3 value,
 * 4 first (rows), 5 end (rows): row i sees first[i] <= key < end[i], 6 positions (rows) or 0, 7 buckets (2 reach + 1),
 * 8 bias (buckets, heads), 9 reach, 10 heads, 11 kvHeads, 12 headDim, 13 scale (float), 14 soft cap (float; 0: off),
 * 15 window (0: all), 16 rows, 17 keys: numbers, or ~ the index of their live sizes, 18 keys at most, 19 scratch,
 * 20 bytes of it for each thread, 21 whether products may round to bfloat16, 22 whether y is rounded (round_rows.c; rows are
 * multiples of 32), 23 which other matrices are (sequence_attention.h; only on matrix units, rows likewise). Gradient also:
 * 24 gradient of y, then the gradients of 25 key, 26 value, 27 bias or 0, 28 buckets there are.
 *
 * A score is a chain of fused multiply-adds over headDim; then scale, soft cap, bias. Exponentials and their products
 * with values are summed over the keys in order, gradients of keys and values over the rows in order, head after head.
 * Where products may round and there are matrix units, see sequence_attention_amx.h; elsewhere they never do.
 * Work is divided by spans of rows that share keys, and key-value heads; with a bias by heads alone, whose gradients of
 * it are then theirs. Vaswani et al., 2017 (arXiv:1706.03762); tiles: Dao et al., 2022 (arXiv:2205.14135). */

#include "sequence_attention.h"
#include "sequence_product.h"

/* ------------------------------------------------------------------ products in float32 */

HH_INLINE int64_t sequence_key_row(const sequence_call *t) { return t->kv_heads * t->head_dim; }
HH_INLINE int64_t sequence_query_row(const sequence_call *t) { return t->heads * t->head_dim; }

/* The first element of a tile's keys (or values, or their gradients) in such a matrix. */
HH_INLINE int64_t sequence_key_at(const sequence_call *t, const sequence_tile *tile) {
  return tile->from * sequence_key_row(t) + tile->kv_head * t->head_dim;
}
HH_INLINE int64_t sequence_query_at(const sequence_call *t, const sequence_tile *tile) {
  return tile->row * sequence_query_row(t) + tile->head * t->head_dim;
}

/* to (keys, lanes) = keys * lanes: scores from keys and queries, or their gradients from values and those of y. */
static void sequence_score(const sequence_call *t, const sequence_tile *tile, float *to, const float *keys,
                           const float *lanes) {
  const sequence_product p = {.c = to, .c_row = HH_SEQUENCE_ROWS, .a = keys + sequence_key_at(t, tile),
                              .a_row = sequence_key_row(t), .a_step = 1, .b = lanes, .b_row = HH_SEQUENCE_ROWS,
                              .rows = tile->to - tile->from, .depth = t->head_dim,
                              .width = sequence_vectors(tile) * HH_LANES};
  sequence_multiply(&p);
}

/* Keys that are crossed together: all passes over them find them in the nearest cache. */
#define HH_SEQUENCE_STRETCH 64

/* out_lanes (headDim, lanes) = the sum of keys, or values, by weights (keys, lanes). */
static void sequence_gather(const sequence_call *t, const sequence_tile *tile, const float *keys, const float *weights) {
  const float *from = keys + sequence_key_at(t, tile);
  const int64_t count = tile->to - tile->from;
  for (int64_t key = 0; key < count; key += HH_SEQUENCE_STRETCH) {
    const sequence_product p = {.c = t->out_lanes, .c_row = HH_SEQUENCE_ROWS, .a = from + key * sequence_key_row(t),
                                .a_row = 1, .a_step = sequence_key_row(t), .b = weights + key * HH_SEQUENCE_ROWS,
                                .b_row = HH_SEQUENCE_ROWS, .rows = t->head_dim,
                                .depth = earlier(HH_SEQUENCE_STRETCH, count - key),
                                .width = sequence_vectors(tile) * HH_LANES, .add = key > 0};
    sequence_multiply(&p);
  }
  if (count == 0) memset(t->out_lanes, 0, (size_t)(t->head_dim * HH_SEQUENCE_ROWS) * sizeof(float));
}

/* to (keys, headDim) += the sum of queries, or gradients of y, by weights (keys, lanes). */
static void sequence_scatter(const sequence_call *t, const sequence_tile *tile, float *to, const float *weights,
                             const float *queries) {
  const sequence_product p = {.c = to + sequence_key_at(t, tile), .c_row = sequence_key_row(t), .a = weights,
                              .a_row = HH_SEQUENCE_ROWS, .a_step = 1, .b = queries + sequence_query_at(t, tile),
                              .b_row = sequence_query_row(t), .rows = tile->to - tile->from, .depth = tile->count,
                              .width = t->head_dim, .add = 1};
  sequence_multiply(&p);
}

/* The first `count` of 16 elements, rounded. */
HH_INLINE void sequence_store_few(uint16_t *to, f32x16 values, int64_t count) {
  uint16_t halves[HH_LANES];
  store_bfloats(halves, values);
  memcpy(to, halves, (size_t)count * sizeof(uint16_t));
}

/* Puts 16 elements, or as many as are left of a head, from d on of a row's head into y. */
HH_INLINE void sequence_put(const sequence_call *t, int64_t row, int64_t head, int64_t d, f32x16 values) {
  const int64_t width = sequence_query_row(t), at = head * t->head_dim + d, left = t->head_dim - d;
  if (!t->rounded) {
    store_some(t->y + row * width + at, values, left);
    return;
  }
  uint16_t *y = (uint16_t *)t->y + row * bfloat_stride(width) + at;
  if (left >= HH_LANES) store_bfloats(y, values);
  else sequence_store_few(y, values, left);
}

/* out_lanes by `factor`, if any, become rows of y. */
static void sequence_store(const sequence_call *t, const sequence_tile *tile, const float *factor) {
  for (int64_t i = 0; i < tile->count; i++)
    for (int64_t d = 0; d < t->head_dim; d += HH_LANES) {
      float lanes[HH_LANES];
      const float *from = t->out_lanes + d * HH_SEQUENCE_ROWS + i;
      for (int64_t k = 0; k < HH_LANES; k++) lanes[k] = from[k * HH_SEQUENCE_ROWS] * (factor ? factor[i] : 1.0f);
      sequence_put(t, tile->row + i, tile->head, d, load16(lanes));
    }
}

/* ------------------------------------------------------------------ tiles */

static void sequence_forward_tile(const sequence_call *t, sequence_tile *tile) {
  float factor[HH_SEQUENCE_ROWS];
  sequence_transpose(t->query_lanes, HH_SEQUENCE_ROWS, t->query + sequence_query_at(t, tile), sequence_query_row(t),
                     tile->count, t->head_dim);
  sequence_score(t, tile, t->scores, t->key, t->query_lanes);
  for (int64_t v = 0; v < sequence_vectors(tile); v++)
    store16(factor + v * HH_LANES, sequence_exponentials(t, tile, v));
  sequence_gather(t, tile, t->value, t->scores);
  sequence_store(t, tile, factor);
}

static void sequence_backward_tile(const sequence_call *t, sequence_tile *tile) {
  const int64_t at = sequence_query_at(t, tile), stride = sequence_query_row(t);
  sequence_transpose(t->query_lanes, HH_SEQUENCE_ROWS, t->query + at, stride, tile->count, t->head_dim);
  sequence_transpose(t->dy_lanes, HH_SEQUENCE_ROWS, t->dy + at, stride, tile->count, t->head_dim);
  sequence_score(t, tile, t->scores, t->key, t->query_lanes);
  sequence_score(t, tile, t->gradients, t->value, t->dy_lanes);
  for (int64_t v = 0; v < sequence_vectors(tile); v++) sequence_score_gradients(t, tile, v);
  sequence_scatter(t, tile, t->dvalue, t->scores, t->dy);
  sequence_scatter(t, tile, t->dkey, t->gradients, t->query);
  sequence_gather(t, tile, t->key, t->gradients);
  sequence_store(t, tile, NULL);
}

/* ------------------------------------------------------------------ units of work */

/* Bytes of an element of a matrix, and elements from row to row of one of keys. */
HH_INLINE int64_t sequence_bytes(const sequence_call *t, int which) { return t->halves & which ? 2 : 4; }
HH_INLINE int64_t sequence_stride(const sequence_call *t, int which, int64_t width) {
  return t->halves & which ? bfloat_stride(width) : width;
}

static void sequence_clear_rows(const sequence_call *t, float *matrix, int which, int64_t from, int64_t to, int64_t kv_head) {
  const int64_t bytes = sequence_bytes(t, which), row = sequence_stride(t, which, sequence_key_row(t)) * bytes;
  char *at = (char *)matrix + from * row + kv_head * t->head_dim * bytes;
  for (int64_t key = from; key < to; key++, at += row) memset(at, 0, (size_t)(t->head_dim * bytes));
}

static void sequence_clear_keys(const sequence_call *t, int64_t from, int64_t to, int64_t kv_head) {
  sequence_clear_rows(t, t->dkey, HH_SEQUENCE_DKEY, from, to, kv_head);
  sequence_clear_rows(t, t->dvalue, HH_SEQUENCE_DVALUE, from, to, kv_head);
}

/* All rows of a span, [row, end), and their keys of a head: head after head of the group. */
static void sequence_run_rows(const sequence_call *t, int64_t row, int64_t end, int64_t kv_head,
                              void (*run)(const sequence_call *t, sequence_tile *tile)) {
  const int64_t group = t->heads / t->kv_heads;
  sequence_tile tile = {.kv_head = kv_head};
  for (tile.head = kv_head * group; tile.head < (kv_head + 1) * group; tile.head++)
    for (int64_t from = row; from < end; from += HH_SEQUENCE_ROWS) {
      sequence_set_tile(t, &tile, from, end);
      run(t, &tile);
    }
}

#if defined(__AMX_BF16__)
#include "sequence_attention_amx.h"
#endif

/* Where a span's rows end: at the next span's. */
HH_INLINE int64_t sequence_span_end(const sequence_call *t, int64_t index) {
  return index + 1 < t->span_count ? t->spans[index + 1].row : t->rows;
}

/* What a span's rows do to the keys of a head. Its keys begin where the span before it ends, and end with its last, or with
 * the last of all. */
static void sequence_run_span(const sequence_call *t, int64_t index, int64_t kv_head) {
  const sequence_span *span = &t->spans[index];
  const int64_t end = sequence_span_end(t, index);
  if (t->dy) {
    sequence_clear_keys(t, index > 0 ? span[-1].to : 0, span->from, kv_head);
    if (index + 1 == t->span_count) sequence_clear_keys(t, span->to, t->key_rows, kv_head);
  }
#if defined(__AMX_BF16__)
  if (t->matrix_units) {
    sequence_amx_run_span(t, span, end, kv_head);
    return;
  }
#endif
  if (t->dy) sequence_clear_keys(t, span->from, span->to, kv_head);
  sequence_run_rows(t, span->row, end, kv_head, t->dy ? sequence_backward_tile : sequence_forward_tile);
}

/* Foresees `rows` rows from `row` on of the head that begins with `column`, in a matrix that wide. */
HH_INLINE void sequence_foresee(const sequence_call *t, const float *matrix, int which, int64_t width, int64_t row,
                                int64_t column, int64_t rows) {
  if (matrix == NULL || rows == 0) return;
  const int64_t each = sequence_bytes(t, which), stride = sequence_stride(t, which, width) * each;
  const char *from = (const char *)matrix + row * stride + column * each;
  const int64_t pieces = (t->head_dim * each + HH_SEQUENCE_PIECE - 1) / HH_SEQUENCE_PIECE;
  const int64_t lines = earlier(HH_SEQUENCE_PIECE, t->head_dim * each + 63) / 64;
  const int written = which == HH_SEQUENCE_DKEY || which == HH_SEQUENCE_DVALUE;
  t->ahead->matrix[t->ahead->matrices++] = (sequence_rows_ahead){from, stride, pieces, rows, lines, written};
}

/* What the next head of a span, or the first of the next span, will read. */
static void sequence_look_ahead(const sequence_call *t, int64_t index, int64_t kv_head) {
  const int64_t row = sequence_query_row(t), key_row = sequence_key_row(t);
  const sequence_span *span = &t->spans[index];
  t->ahead->matrices = t->ahead->piece = 0;
  if (t->dy && t->matrix_units) {
    const int64_t keys = span->to - span->from, column = kv_head * t->head_dim;
    sequence_foresee(t, t->dkey, HH_SEQUENCE_DKEY, key_row, span->from, column, keys);
    sequence_foresee(t, t->dvalue, HH_SEQUENCE_DVALUE, key_row, span->from, column, keys);
  }
  if (++kv_head == t->kv_heads) kv_head = 0, index++;
  if (index == t->span_count) return;
  span = &t->spans[index];
  const int64_t rows = sequence_span_end(t, index) - span->row, keys = span->to - span->from;
  const int64_t key_column = kv_head * t->head_dim, column = key_column * (t->heads / t->kv_heads);
  sequence_foresee(t, t->dy, HH_SEQUENCE_DY, row, span->row, column, rows);
  sequence_foresee(t, t->query, HH_SEQUENCE_QUERY, row, span->row, column, rows);
  sequence_foresee(t, t->value, HH_SEQUENCE_VALUE, key_row, span->from, key_column, keys);
  sequence_foresee(t, t->key, HH_SEQUENCE_KEY, key_row, span->from, key_column, keys);
}

static void sequence_clear_bias(const sequence_call *t, int64_t kv_head) {
  const int64_t group = t->heads / t->kv_heads;
  for (int64_t bucket = 0; bucket < t->bucket_count; bucket++)
    memset(t->dbias + bucket * t->heads + kv_head * group, 0, (size_t)group * sizeof(float));
}

/* Whether the unit of work that begins at `before` of all work is this share's; so is what fills its middle. */
HH_INLINE int sequence_is_mine(const hh_call *call, int64_t before, int64_t cost, int64_t all) {
  return (2 * before + cost) * call->share.count / (2 * all) == call->share.index;
}

static void sequence_run(const hh_call *call, const sequence_call *t) {
  int64_t cost = 0, before = 0;
  for (int64_t i = 0; i < t->span_count; i++) cost += t->spans[i].cost;
  for (int64_t head = 0; t->dbias && head < t->kv_heads; head++)
    if (sequence_is_mine(call, head, 1, t->kv_heads)) sequence_clear_bias(t, head);
  for (int64_t i = 0; i < t->span_count; i++)
    for (int64_t head = 0; head < t->kv_heads; head++, before += t->spans[i].cost) {
      const int mine = t->dbias ? sequence_is_mine(call, head, 1, t->kv_heads)
                                : sequence_is_mine(call, before, t->spans[i].cost, t->kv_heads * cost);
      if (!mine) continue;
      sequence_look_ahead(t, i, head);
      sequence_run_span(t, i, head);
    }
}

/* ------------------------------------------------------------------ the operations */

/* A number of rows, which may be live. */
HH_INLINE int64_t sequence_size(const hh_call *call, hh_word word) { return word < 0 ? call->live[~word] : word; }

static sequence_call sequence_arguments(const hh_call *call) {
  const hh_word *a = call->arguments;
  sequence_call t = {.y = address(a[0]), .query = address(a[1]), .key = address(a[2]), .value = address(a[3]),
                     .first = address(a[4]), .end = address(a[5]), .positions = address(a[6]), .buckets = address(a[7]),
                     .bias = address(a[8]), .reach = a[9], .heads = a[10], .kv_heads = a[11], .head_dim = a[12],
                     .scale = float_argument(a[13]), .cap = float_argument(a[14]), .window = a[15],
                     .rows = sequence_size(call, a[16]), .key_rows = sequence_size(call, a[17]), .key_capacity = a[18], .rounded = a[22], .halves = a[23]};
  char *scratch = (char *)address(a[19]) + call->thread * a[20];
  const int64_t keys = sequence_padded_keys(&t), width = (t.head_dim + 31) / 32 * 32;
  t.query_lanes = sequence_take(&scratch, width * HH_SEQUENCE_ROWS);
  t.dy_lanes = sequence_take(&scratch, width * HH_SEQUENCE_ROWS);
  t.out_lanes = sequence_take(&scratch, width * HH_SEQUENCE_ROWS);
  t.scores = sequence_take(&scratch, keys * HH_SEQUENCE_ROWS);
  t.gradients = sequence_take(&scratch, keys * HH_SEQUENCE_ROWS);
  if (t.cap > 0) t.slopes = sequence_take(&scratch, keys * HH_SEQUENCE_ROWS);
  t.spans = (sequence_span *)sequence_take(&scratch, (t.rows + 1) * (int64_t)(sizeof(sequence_span) / sizeof(float)));
  t.rest = scratch;
  return t;
}

static void sequence_start(const hh_call *call, sequence_call *t) {
  sequence_ahead ahead;
  t->ahead = &ahead;
  sequence_find_spans(t);
#if defined(__AMX_BF16__)
  if (call->arguments[21]) {
    struct sequence_amx_slots slots;
    t->matrix_units = 1;
    sequence_amx_take(t, &slots);
    _tile_loadconfig(&amx_shape);
    sequence_run(call, t);
    _tile_release();
    return;
  }
#endif
  sequence_run(call, t);
}

static void sequence_attention(const hh_call *call) {
  sequence_call t = sequence_arguments(call);
  sequence_start(call, &t);
}

static void sequence_attention_gradient(const hh_call *call) {
  const hh_word *a = call->arguments;
  sequence_call t = sequence_arguments(call);
  t.dy = address(a[24]);
  t.dkey = address(a[25]), t.dvalue = address(a[26]), t.dbias = address(a[27]);
  t.bucket_count = a[28];
  sequence_start(call, &t);
}
