/* Blocks of products of bfloat16 on AMX: tiles of 2 x 2 sums, of 16 rows and 16 columns each.
 *
 * A pair of panels stays in the first cache while all rows are multiplied by it; rows come from the second. */
#include "linear_amx.h"

/* Of k, how much is crossed before the next columns take their turn: a multiple of 32. */
#define HH_AMX_STRETCH 768
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

/* `tall`: two tiles of rows; `wide`: two panels; `whole`: nothing is cut off. */
HH_INLINE void product_tiles(const product_block *p, int64_t row, int64_t column, const int tall, const int wide,
                             const int whole) {
  const uint16_t *a = (const uint16_t *)p->a + row * p->a_stride;
  const uint16_t *b = (const uint16_t *)p->b + column / HH_LANES * p->panel_stride;
  const int64_t a_bytes = p->a_stride * 2, below = 16 * p->a_stride;
  amx_cut cut;
  AMX_START(0, 0, 0);
  if (wide) AMX_START(1, 0, 1);
  if (tall) AMX_START(2, 1, 0);
  if (tall && wide) AMX_START(3, 1, 1);
  for (int64_t k = 0; k < p->k; k += 32, a += 32, b += HH_AMX_TILE) {
    _tile_loadd(4, a, a_bytes);
    _tile_loadd(6, b, 64);
    _tile_dpbf16ps(0, 4, 6);
    if (wide) {
      _tile_loadd(7, b + p->panel_stride, 64);
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

/* All rows of one or two panels: `rows` are a multiple of 16, or as few as the tiles have. */
static void product_panels(const product_block *p, int64_t column) {
  const int wide = p->columns - column > HH_LANES, whole = p->columns - column >= 2 * HH_LANES;
  int64_t row = 0;
  for (; row + 32 <= p->rows; row += 32) {
    if (whole) product_tiles(p, row, column, 1, 1, 1);
    else if (wide) product_tiles(p, row, column, 1, 1, 0);
    else product_tiles(p, row, column, 1, 0, 0);
  }
  if (row == p->rows) return;
  if (whole) product_tiles(p, row, column, 0, 1, 1);
  else if (wide) product_tiles(p, row, column, 0, 1, 0);
  else product_tiles(p, row, column, 0, 0, 0);
}

static void product_stretches(product_block p) {
  const int64_t depth = p.k;
  for (int64_t k = 0; k < depth; k += HH_AMX_STRETCH) {
    p.k = amx_least(depth - k, HH_AMX_STRETCH);
    for (int64_t column = 0; column < p.columns; column += 2 * HH_LANES) product_panels(&p, column);
    p.a = (const uint16_t *)p.a + HH_AMX_STRETCH;
    p.b = (const uint16_t *)p.b + HH_AMX_STRETCH * HH_LANES;
    p.start = p.c;
    p.start_stride = p.c_stride;
  }
}

/* The last few rows are in tiles of as many, so that nothing is read beyond them. */
static void product_bfloats(const product_block *block) {
  product_block p = *block;
  const int64_t whole = p.rows / HH_LANES * HH_LANES;
  _tile_loadconfig(&amx_shape);
  p.rows = whole;
  if (whole > 0) product_stretches(p);
  if (whole < block->rows) {
    amx_tile_shape few = amx_shape;
    for (int tile = 0; tile < 6; tile++) few.rows[tile] = (uint8_t)(block->rows - whole);
    /* GCC 12 believes that only the first word is read. */
    __asm__ volatile("" : : "r"(&few) : "memory");
    _tile_loadconfig(&few);
    p.a = (const uint16_t *)block->a + whole * p.a_stride;
    p.c = block->c + whole * p.c_stride;
    if (p.start != NULL) p.start = block->start + whole * p.start_stride;
    p.rows = block->rows - whole;
    product_stretches(p);
  }
  _tile_release();
}
