/* Blocks of products of bfloat16 on AMX: tiles of 2 x 2 sums, of 16 rows and 16 columns each.
 *
 * Thirty-two rows stay in the first cache while they are multiplied by one pair of panels after the other, which come from
 * the second. Rows of C are so written from left to right, as caches expect. */
#include "linear_amx.h"

/* Bytes of panels that stay in the second cache while all rows are multiplied by them. */
#define HH_AMX_PANEL_BYTES (1280 << 10)
/* Elements of a panel for 32 of k: one tile. */
#define HH_AMX_TILE (32 * HH_LANES)

/* One of the four tiles, where it is cut off by the end of a row or of the rows: from memory and back by a copy. */
typedef struct {
  _Alignas(64) float values[HH_LANES * HH_LANES];
} amx_cut;

HH_INLINE int64_t amx_least(int64_t a, int64_t b) { return a < b ? a : b; }

static const float *amx_cut_start(amx_cut *cut, const product_block *p, int64_t row, int64_t column) {
  for (int64_t r = 0; r < amx_least(p->rows - row, HH_LANES); r++)
    store16(cut->values + r * HH_LANES, load_some(p->start + (row + r) * p->start_stride + column, p->columns - column));
  return cut->values;
}

static void amx_cut_store(const amx_cut *cut, const product_block *p, int64_t row, int64_t column) {
  for (int64_t r = 0; r < amx_least(p->rows - row, HH_LANES); r++)
    store_some(p->c + (row + r) * p->c_stride + column, load16(cut->values + r * HH_LANES), p->columns - column);
}

/* Tile numbers are constants of the instructions. */
#define AMX_START(tile, i, j)                                                                                         \
  do {                                                                                                                \
    if (p->start == NULL) _tile_zero(tile);                                                                           \
    else if (whole)                                                                                                   \
      _tile_loadd(tile, p->start + (row + 16 * i) * p->start_stride + column + 16 * j, p->start_stride * 4);          \
    else _tile_loadd(tile, amx_cut_start(&cut, p, row + 16 * i, column + 16 * j), 64);                                \
  } while (0)
#define AMX_STORE(tile, i, j)                                                                                         \
  do {                                                                                                                \
    if (whole) _tile_stored(tile, p->c + (row + 16 * i) * p->c_stride + column + 16 * j, p->c_stride * 4);            \
    else {                                                                                                            \
      _tile_stored(tile, cut.values, 64);                                                                             \
      amx_cut_store(&cut, p, row + 16 * i, column + 16 * j);                                                          \
    }                                                                                                                 \
  } while (0)

/* Rows of products (rows, 32) that are finished while the next are multiplied: the processor does both at once. */
typedef struct {
  const product_finish *finish;
  const float *values;
  int64_t row, rows, column;
  int64_t each; /* how many at every step of k */
  /* Rows of A that come after these, brought nearer meanwhile, some lines at every step. */
  const char *ahead;
  int64_t lines;
} amx_pending;

/* Those that are due at a step of k. */
HH_INLINE void amx_finish_rows(const amx_pending *pending, int64_t step, const int mode) {
  for (int64_t line = step * pending->lines; line < (step + 1) * pending->lines; line++)
    __builtin_prefetch(pending->ahead + line * 64, 0, 2);
  const int64_t end = amx_least((step + 1) * pending->each, pending->rows);
  for (int64_t row = step * pending->each; row < end; row++) {
    product_finish_ahead(pending->finish, pending->row + row, pending->column + 32, mode);
    product_finish_row(pending->finish, pending->values + row * 32, pending->row + row, pending->column, 32, mode);
  }
}

/* `tall`: two tiles of rows; `wide`: two panels; `whole`: nothing is cut off. */
HH_INLINE void product_tiles(const product_block *p, int64_t row, int64_t column, const int tall, const int wide,
                             const int whole, const amx_pending *pending, const int mode) {
  const uint16_t *a = (const uint16_t *)p->a + row * p->a_stride;
  const uint16_t *b = (const uint16_t *)p->b + column / HH_LANES * p->panel_stride;
  const int64_t a_bytes = p->a_stride * 2, below = 16 * p->a_stride;
  amx_cut cut;
  AMX_START(0, 0, 0);
  if (wide) AMX_START(1, 0, 1);
  if (tall) AMX_START(2, 1, 0);
  if (tall && wide) AMX_START(3, 1, 1);
  for (int64_t k = 0; k < p->k; k += 32, a += 32, b += HH_AMX_TILE) {
    if (pending != NULL) amx_finish_rows(pending, k / 32, mode);
    _tile_loadd(4, a, a_bytes);
    /* Panels are read once for 32 rows: they are not to drive the rows from the first cache. */
    _tile_stream_loadd(6, b, 64);
    _tile_dpbf16ps(0, 4, 6);
    if (wide) {
      _tile_stream_loadd(7, b + p->panel_stride, 64);
      _tile_dpbf16ps(1, 4, 7);
    }
    if (tall) {
      _tile_loadd(5, a + below, a_bytes);
      _tile_dpbf16ps(2, 5, 6);
      if (wide) _tile_dpbf16ps(3, 5, 7);
    }
  }
  AMX_STORE(0, 0, 0);
  if (wide) AMX_STORE(1, 0, 1);
  if (tall) AMX_STORE(2, 1, 0);
  if (tall && wide) AMX_STORE(3, 1, 1);
}
#undef AMX_START
#undef AMX_STORE

/* Columns that are crossed together: a multiple of 32. */
HH_INLINE int64_t amx_columns(const product_block *p) {
  const int64_t columns = HH_AMX_PANEL_BYTES / (2 * p->k) / 32 * 32;
  return columns > 32 ? columns : 32;
}

/* Of k, how much is crossed at most in one go where sums can wait in C. */
#define HH_AMX_STRETCH 2048

/* Straight into C. */
static void product_stored_stretch(const product_block *p) {
  const int64_t step = amx_columns(p);
  for (int64_t first = 0; first < p->columns; first += step)
    for (int64_t row = 0; row < p->rows; row += 32) {
      const int tall = p->rows - row > 16;
      for (int64_t column = first; column < amx_least(first + step, p->columns); column += 32) {
        const int64_t left = p->columns - column;
        /* Rows are a multiple of 16, or as few as the tiles have. */
        if (tall && left >= 32) product_tiles(p, row, column, 1, 1, 1, NULL, 0);
        else if (tall && left > 16) product_tiles(p, row, column, 1, 1, 0, NULL, 0);
        else if (tall) product_tiles(p, row, column, 1, 0, 0, NULL, 0);
        else if (left >= 32) product_tiles(p, row, column, 0, 1, 1, NULL, 0);
        else if (left > 16) product_tiles(p, row, column, 0, 1, 0, NULL, 0);
        else product_tiles(p, row, column, 0, 0, 0, NULL, 0);
      }
    }
}

static void product_stored(product_block p) {
  const int64_t depth = p.k, stretches = (depth + HH_AMX_STRETCH - 1) / HH_AMX_STRETCH;
  const int64_t stretch = whole_chunks((depth + stretches - 1) / stretches);
  for (int64_t k = 0; k < depth; k += stretch) {
    p.k = amx_least(depth - k, stretch);
    product_stored_stretch(&p);
    p.a = (const uint16_t *)p.a + stretch;
    p.b = (const uint16_t *)p.b + stretch * HH_LANES;
    p.start = p.c;
    p.start_stride = p.c_stride;
  }
}

/* Each 32 x 32 products are put aside, and finished while the next are computed. */
HH_INLINE void product_finished(const product_block *p, const product_finish *finish, const int mode) {
  _Alignas(64) float aside[2][32 * 32];
  amx_pending pending = {.finish = finish, .each = (32 * 32 + p->k - 1) / p->k};
  const int64_t step = amx_columns(p);
  int turn = 0;
  for (int64_t first = 0; first < p->columns; first += step)
    for (int64_t row = 0; row < p->rows; row += 32) {
      const int tall = p->rows - row > 16;
      const int64_t bytes = 64 * p->a_stride, blocks = (amx_least(step, p->columns - first) + 31) / 32;
      product_block q = *p;
      q.a = (const uint16_t *)p->a + row * p->a_stride;
      q.c_stride = 32;
      pending.lines = (bytes / 64 + blocks * p->k / 32 - 1) / (blocks * p->k / 32);
      pending.ahead = (const char *)(q.a) + bytes;
      for (int64_t column = first; column < amx_least(first + step, p->columns); column += 32, turn ^= 1) {
        const int wide = p->columns - column > 16;
        q.b = (const uint16_t *)p->b + column / HH_LANES * p->panel_stride;
        q.c = aside[turn];
        q.start = p->start == NULL ? NULL : p->start + column;
        if (tall && wide) product_tiles(&q, 0, 0, 1, 1, 1, &pending, mode);
        else if (tall) product_tiles(&q, 0, 0, 1, 0, 1, &pending, mode);
        else if (wide) product_tiles(&q, 0, 0, 0, 1, 1, &pending, mode);
        else product_tiles(&q, 0, 0, 0, 0, 1, &pending, mode);
        pending.ahead += pending.lines * p->k / 32 * 64;
        pending.values = aside[turn];
        pending.row = finish->row + row;
        pending.rows = amx_least(p->rows - row, 32);
        pending.column = finish->column + column;
      }
    }
  pending.each = 32;
  pending.lines = 0;
  amx_finish_rows(&pending, 0, mode);
}

/* A block of whole tiles, or of rows as few as the tiles have. */
static void product_part(const product_block *p, const product_finish *finish) {
  if (finish == NULL) product_stored(*p);
  else if (finish->mode == HH_FINISH_ACTIVATED) product_finished(p, finish, HH_FINISH_ACTIVATED);
  else if (finish->mode == HH_FINISH_SLOPED) product_finished(p, finish, HH_FINISH_SLOPED);
  else if (finish->mode == HH_FINISH_KEEPING) product_finished(p, finish, HH_FINISH_KEEPING);
  else if (finish->mode == HH_FINISH_KEPT) product_finished(p, finish, HH_FINISH_KEPT);
  else product_finished(p, finish, HH_FINISH_STORED);
}

/* The last few rows are in tiles of as many, so that nothing is read beyond them. */
static void product_bfloats(const product_block *block, const product_finish *finish) {
  product_block p = *block;
  const int64_t whole = p.rows / HH_LANES * HH_LANES;
  _tile_loadconfig(&amx_shape);
  p.rows = whole;
  if (whole > 0) product_part(&p, finish);
  if (whole < block->rows) {
    product_finish rest;
    amx_tile_shape few = amx_shape;
    for (int tile = 0; tile < 6; tile++) few.rows[tile] = (uint8_t)(block->rows - whole);
    /* GCC 12 believes that only the first word is read. */
    __asm__ volatile("" : : "r"(&few) : "memory");
    _tile_loadconfig(&few);
    p.a = (const uint16_t *)block->a + whole * p.a_stride;
    if (p.c != NULL) p.c += whole * p.c_stride;
    if (p.start != NULL) p.start = block->start + whole * p.start_stride;
    p.rows = block->rows - whole;
    if (finish != NULL) {
      rest = *finish;
      rest.row += whole;
    }
    product_part(&p, finish == NULL ? NULL : &rest);
  }
  _tile_release();
}
