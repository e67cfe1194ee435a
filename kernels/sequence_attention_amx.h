/* The products of sequence_attention.c on matrix units: operands in bfloat16, to nearest even, sums in float32.
 *
 * A tile product is c (16 rows, 16 columns) += a (16 rows, 32) * b (32, 16 columns), where b lies in pairs: (16, 16
 * columns, 2). Keys and values of a span are laid out once for all of its rows; queries and gradients of y once for each
 * tile of them. Scores stay (keys, lanes) in float32 between the products, as without matrix units.
 * Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18 (Intel AMX). */
#ifndef HH_SEQUENCE_ATTENTION_AMX_H
#define HH_SEQUENCE_ATTENTION_AMX_H

#include "sequence_layout_amx.h"
#include "sequence_weights_amx.h"

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
      turn_vectors(r);
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

/* A head's `count` rows from `row` on of an operand of `heads` heads. */
HH_INLINE sequence_amx_matrix sequence_amx_matrix_of(const sequence_call *t, const float *from, int which, int64_t heads,
                                                     int64_t row, int64_t count, int64_t head) {
  const int64_t width = heads * t->head_dim, halves = t->halves & which, stride = halves ? bfloat_stride(width) : width;
  const int64_t at = row * stride + head * t->head_dim;
  return (sequence_amx_matrix){(const char *)from + at * (halves ? 2 : 4), stride, count, t->head_dim, halves};
}
HH_INLINE sequence_amx_matrix sequence_amx_key_matrix(const sequence_call *t, const float *from, int which,
                                                      const sequence_amx_stretch *stretch, int64_t kv_head) {
  return sequence_amx_matrix_of(t, from, which, t->kv_heads, stretch->from, stretch->to - stretch->from, kv_head);
}

/* Lays out a stretch's keys and values. */
static void sequence_amx_begin(const sequence_call *t, const sequence_amx_stretch *stretch, int64_t kv_head) {
  const sequence_amx_matrix keys = sequence_amx_key_matrix(t, t->key, HH_SEQUENCE_KEY, stretch, kv_head);
  const sequence_amx_matrix values = sequence_amx_key_matrix(t, t->value, HH_SEQUENCE_VALUE, stretch, kv_head);
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

/* The same to a matrix of bfloat16. */
HH_INLINE void sequence_amx_put_rounded(uint16_t *to, int64_t stride, const float *sums, int64_t rows, int64_t columns,
                                        int adds) {
  for (int64_t r = 0; r < earlier(rows, 16); r++, to += stride, sums += 16) {
    const f32x16 sum = adds ? add16(load_bfloats(to), load16(sums)) : load16(sums);
    if (columns >= 16) store_bfloats(to, sum);
    else sequence_store_few(to, sum, columns);
  }
}

/* Sixteen rows by sixteen columns of the gradient of keys or values. */
HH_INLINE void sequence_amx_put_gradient(const sequence_call *t, float *to, int which, int64_t row, int64_t column,
                                         const float *sums, int64_t rows, int64_t columns, int adds) {
  const int64_t width = t->kv_heads * t->head_dim, stride = bfloat_stride(width);
  if (t->halves & which)
    sequence_amx_put_rounded((uint16_t *)to + row * stride + column, stride, sums, rows, columns, adds);
  else sequence_amx_put(to + row * width + column, width, sums, rows, columns, adds);
}

/* Puts the sums of a stretch's keys where they belong, or adds them to what other stretches put there. */
static void sequence_amx_end(const sequence_call *t, const sequence_amx_stretch *stretch, int64_t kv_head, int adds) {
  const int64_t keys = stretch->to - stretch->from;
  const float *key_sums = t->key_sums, *value_sums = t->value_sums;
  if (t->slots->count > 0) sequence_amx_scatter(t);
  for (int64_t key = 0; key < keys; key += 16)
    for (int64_t d = 0; d < t->head_dim; d += 16, key_sums += HH_SEQUENCE_SUMS, value_sums += HH_SEQUENCE_SUMS) {
      const int64_t row = stretch->from + key, column = kv_head * t->head_dim + d, left = t->head_dim - d;
      sequence_amx_put_gradient(t, t->dkey, HH_SEQUENCE_DKEY, row, column, key_sums, keys - key, left, adds);
      sequence_amx_put_gradient(t, t->dvalue, HH_SEQUENCE_DVALUE, row, column, value_sums, keys - key, left, adds);
    }
}

HH_INLINE sequence_amx_matrix sequence_amx_tile_matrix(const sequence_call *t, const float *from, int which,
                                                       const sequence_tile *tile) {
  return sequence_amx_matrix_of(t, from, which, t->heads, tile->row, tile->count, tile->head);
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
  const sequence_amx_matrix queries = sequence_amx_tile_matrix(t, t->query, HH_SEQUENCE_QUERY, tile);
  sequence_amx_lay_lanes(t->query_halves, &queries);
  sequence_amx_score(t, tile, t->scores, t->key_halves + first * sequence_amx_depth(t), t->query_halves);
  sequence_amx_weigh(t, tile, inverse);
  sequence_amx_gather(t, tile, t->columns + first / 32 * sequence_amx_blocks(t) * HH_SEQUENCE_HALVES, t->pairs);
  sequence_amx_store(t, tile, inverse);
}

static void sequence_amx_backward_tile(const sequence_call *t, sequence_tile *tile) {
  const int64_t first = sequence_amx_align(t, tile);
  float inverse[HH_SEQUENCE_ROWS], along[HH_SEQUENCE_ROWS], scale[HH_SEQUENCE_ROWS];
  const sequence_amx_matrix queries = sequence_amx_tile_matrix(t, t->query, HH_SEQUENCE_QUERY, tile);
  const sequence_amx_matrix dys = sequence_amx_tile_matrix(t, t->dy, HH_SEQUENCE_DY, tile);
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
