/* A linear map of many rows by a packed quantized matrix on AMX: the same integers as linear_quantized.h, so the same bits.
 *
 * A weight times its block's multiplier is a 16-bit integer, 256 * high + low. Two tile products, one by the signed upper
 * bytes and one by the unsigned lower, sum a whole group; they are put together, scaled and added to y when both leave
 * their tiles. While one tile of 16 rows is multiplied, the one before it is finished.
 * Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18 (Intel AMX). */
#ifndef HH_LINEAR_AMX_H
#define HH_LINEAR_AMX_H

/* From this many rows on. A tile takes as long for fewer rows as for 16. */
#define HH_AMX_MINIMUM_ROWS 12
#define HH_AMX_ROWS 16
/* Rows that cross the matrix together: what lies between two groups of them is kept aside. */
#define HH_AMX_ROWS_AT_ONCE 512
/* Panels that cross a group together: its activations stay in the cache meanwhile. */
#define HH_AMX_PANELS 8

/* Rows of activations for tiles lie in tiles: [rows/16][groups][chunks of a group][16 rows][64 elements], each group filled
 * up with whatever to as many chunks as the largest has; then float scale[rows][groups]. */
HH_INLINE int64_t amx_group_chunks(int64_t in) {
  const int64_t groups = hh_group_count(in);
  return ((in / HH_BLOCK + groups - 1) / groups + 1) / 2;
}
#define HH_AMX_CHUNK (HH_AMX_ROWS * 64)

/* Bytes of 16 rows' values. */
HH_INLINE int64_t amx_tile_bytes(int64_t in) { return hh_group_count(in) * amx_group_chunks(in) * HH_AMX_CHUNK; }

/* The scales of all rows, which follow their values. */
HH_INLINE float *amx_row_scales(uint8_t *x, int64_t rows, int64_t in) {
  return (float *)(x + (rows + HH_AMX_ROWS - 1) / HH_AMX_ROWS * amx_tile_bytes(in));
}

/* The values of a block of a group of a row. */
HH_INLINE uint8_t *amx_block(uint8_t *x, int64_t row, int64_t in, int64_t group, int64_t block) {
  return x + row / HH_AMX_ROWS * amx_tile_bytes(in) + (group * amx_group_chunks(in) + block / 2) * HH_AMX_CHUNK +
         row % HH_AMX_ROWS * 64 + block % 2 * HH_BLOCK;
}

/* The first panel of a share: panels are shared out in pairs, since two take little longer than one. */
HH_INLINE int64_t amx_share(int64_t panels, int32_t index, int32_t count) {
  return index == count ? panels : share_start((panels + 1) / 2, index, count) * 2;
}

/* Bytes of a block of 32 in a tile: 8 rows of 16 lanes of 4 elements. */
#define HH_AMX_BLOCK_BYTES 512

/* Two panels of a group, ready for tiles: [block][8][16][4]. */
typedef struct {
  _Alignas(64) uint8_t high[2][HH_GROUP_BLOCKS * HH_AMX_BLOCK_BYTES];
  _Alignas(64) uint8_t low[2][HH_GROUP_BLOCKS * HH_AMX_BLOCK_BYTES];
} amx_weights;

/* What two panels and 16 rows sum to: upper and lower products of each panel. */
typedef struct {
  _Alignas(64) int32_t high[2][HH_AMX_ROWS * HH_LANES];
  _Alignas(64) int32_t low[2][HH_AMX_ROWS * HH_LANES];
} amx_sums;

/* Rows of one group, on their way from x to y. Strides are in elements. */
typedef struct {
  const uint8_t *x;    /* the group's values in the first tile of rows */
  int64_t x_stride;    /* from tile to tile of rows */
  const float *scales; /* the group's, in the first row */
  int64_t scale_stride;
  const float *start; /* what sums start from: the bias (stride 0), or y */
  int64_t start_stride;
  float *y;
  int64_t y_stride;
  int64_t outputs; /* that are left from the first panel on */
  f32x16 scale[2]; /* of the weights */
  int64_t chunks;  /* of 64 elements */
  /* What comes next, to be brought nearer meanwhile: a chunk of each tile of rows; values of each panel. NULL: nothing. */
  const uint8_t *next_x, *next_values[2];
  int64_t next_bytes; /* of values */
} amx_group;

/* Brings nearer what comes next, as much as is due behind tile `tile` of rows. */
HH_INLINE void amx_prefetch(const amx_group *g, int64_t tile, const int panels) {
  if (g->next_x != NULL)
    HH_UNROLL for (int i = 0; i < HH_AMX_ROWS; i++)
      _mm_prefetch((const char *)g->next_x + tile * g->x_stride + i * 64, _MM_HINT_T1);
  for (int64_t at = tile * 128; at < tile * 128 + 128 && at < g->next_bytes; at += 64)
    HH_UNROLL for (int p = 0; p < panels; p++) _mm_prefetch((const char *)g->next_values[p] + at, _MM_HINT_T1);
}

/* Shapes of the tiles, as the processor reads them. */
typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} amx_tile_shape;

/* Eight tiles of 16 rows of 64 bytes. Constant: GCC 12 believes that only the first word of it is read. */
static const amx_tile_shape amx_shape = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

/* Finishes `count` rows, from `first` on, of a tile that begins at row `tile`. `whole`: no panel is cut off by the end of
 * a row of y. */
HH_INLINE void amx_finish(const amx_group *g, const amx_sums *sums, int64_t tile, int64_t first, int64_t count,
                          const int panels, const int whole) {
  const int64_t row = tile + first;
  const float *x_scale = g->scales + row * g->scale_stride;
  const float *start = g->start + row * g->start_stride;
  float *y = g->y + row * g->y_stride;
  HH_UNROLL for (int64_t r = first; r < first + count; r++) {
    const f32x16 factor = splat16(*x_scale);
    HH_UNROLL for (int p = 0; p < panels; p++) {
      const int64_t left = whole ? HH_LANES : g->outputs - p * HH_LANES;
      const i32x16 high = load_ints(sums->high[p] + r * HH_LANES), low = load_ints(sums->low[p] + r * HH_LANES);
      const f32x16 total = float_of_int(add_int(shift_left(high, 8), low));
      const f32x16 from = load_some(start + p * HH_LANES, left);
      store_some(y + p * HH_LANES, fma16(total, mul16(g->scale[p], factor), from), left);
    }
    x_scale += g->scale_stride, start += g->start_stride, y += g->y_stride;
  }
}

/* Rows of the tile before that are finished behind each chunk: the processor does both at once. */
#define HH_AMX_FINISH 4
#define HH_AMX_FINISHES (HH_AMX_ROWS / HH_AMX_FINISH)

/* All rows of a group, by one or two panels. */
HH_INLINE void amx_cross(const amx_group *g, const amx_weights *w, int64_t rows, const int panels, const int whole) {
  amx_sums sums[2];
  int turn = 0;
  const uint8_t *x = g->x;
  for (int64_t row = 0; row < rows; row += HH_AMX_ROWS, x += g->x_stride, turn ^= 1) {
    const amx_sums *before = &sums[turn ^ 1];
    amx_prefetch(g, row / HH_AMX_ROWS, panels);
    _tile_zero(0);
    _tile_zero(1);
    if (panels > 1) {
      _tile_zero(2);
      _tile_zero(3);
    }
    for (int64_t c = 0; c < g->chunks; c++) {
      const int64_t at = c * 2 * HH_AMX_BLOCK_BYTES;
      _tile_loadd(4, x + c * HH_AMX_CHUNK, 64);
      _tile_loadd(5, w->high[0] + at, 64);
      _tile_dpbssd(0, 4, 5);
      _tile_loadd(6, w->low[0] + at, 64);
      _tile_dpbsud(1, 4, 6);
      if (panels > 1) {
        _tile_loadd(7, w->high[1] + at, 64);
        _tile_dpbssd(2, 4, 7);
        _tile_loadd(5, w->low[1] + at, 64);
        _tile_dpbsud(3, 4, 5);
      }
      if (row > 0 && c < HH_AMX_FINISHES) amx_finish(g, before, row - HH_AMX_ROWS, HH_AMX_FINISH * c, HH_AMX_FINISH, panels, whole);
    }
    if (row > 0)
      for (int64_t c = g->chunks; c < HH_AMX_FINISHES; c++)
        amx_finish(g, before, row - HH_AMX_ROWS, HH_AMX_FINISH * c, HH_AMX_FINISH, panels, whole);
    _tile_stored(0, sums[turn].high[0], 64);
    _tile_stored(1, sums[turn].low[0], 64);
    if (panels > 1) {
      _tile_stored(2, sums[turn].high[1], 64);
      _tile_stored(3, sums[turn].low[1], 64);
    }
  }
  const int64_t last = (rows - 1) / HH_AMX_ROWS * HH_AMX_ROWS;
  amx_finish(g, &sums[turn ^ 1], last, 0, rows - last, panels, whole);
}

/* Stores 64 products of 16 bits as upper and lower bytes: `even` and `odd` hold them in the order of their bytes. */
HH_INLINE void amx_store(uint8_t *high, uint8_t *low, __m512i even, __m512i odd) {
  const __m512i lower = _mm512_set1_epi16(0x00ff);
  _mm512_store_si512(low, _mm512_or_si512(_mm512_and_si512(even, lower), _mm512_slli_epi16(odd, 8)));
  _mm512_store_si512(high, _mm512_or_si512(_mm512_srli_epi16(even, 8), _mm512_andnot_si512(lower, odd)));
}

/* A multiplier for each of 16 lanes, in both halves of the lane. */
HH_INLINE __m512i amx_twice(i32x16 multiplier) {
  return (__m512i)or_int(and_int(multiplier, splat_int(0xffff)), shift_left(multiplier, 16)).part[0];
}

static void amx_unpack_q8_0(uint8_t *high, uint8_t *low, const uint8_t *values, const uint8_t *multipliers) {
  const __m512i m = amx_twice(widen_bytes(multipliers)), offset = _mm512_set1_epi16(128);
  for (int q = 0; q < 8; q++) {
    const __m512i w = _mm512_loadu_si512(values + q * 64);
    const __m512i even = _mm512_sub_epi16(_mm512_and_si512(w, _mm512_set1_epi16(0xff)), offset);
    const __m512i odd = _mm512_sub_epi16(_mm512_srli_epi16(w, 8), offset);
    amx_store(high + q * 64, low + q * 64, _mm512_mullo_epi16(even, m), _mm512_mullo_epi16(odd, m));
  }
}

static void amx_unpack_q4_0(uint8_t *high, uint8_t *low, const uint8_t *values, const uint8_t *multipliers) {
  const __m512i m = amx_twice(widen_shorts((const uint16_t *)multipliers)), offset = _mm512_set1_epi16(8);
  const __m512i nibble = _mm512_set1_epi16(15);
#define AMX_NIBBLES(shift) \
  _mm512_mullo_epi16(_mm512_sub_epi16(_mm512_and_si512(_mm512_srli_epi16(w, shift), nibble), offset), m)
  for (int q = 0; q < 4; q++) {
    const __m512i w = _mm512_loadu_si512(values + q * 64);
    amx_store(high + q * 64, low + q * 64, AMX_NIBBLES(0), AMX_NIBBLES(8));
    amx_store(high + (q + 4) * 64, low + (q + 4) * 64, AMX_NIBBLES(4), AMX_NIBBLES(12));
  }
#undef AMX_NIBBLES
}

/* Unpacks one block, of whichever type. */
typedef void amx_unpack(uint8_t *high, uint8_t *low, const uint8_t *values, const uint8_t *multipliers);

/* One panel of a group. An odd last block is followed by one of zeros. */
HH_INLINE void amx_unpack_panel(amx_weights *to, const int p, const uint8_t *panel, const int64_t storage, int64_t in,
                                int64_t first, int64_t last, amx_unpack *unpack) {
  const uint8_t *multipliers = panel + hh_group_count(in) * HH_LANES * 4;
  const uint8_t *values = panel + hh_scale_bytes(storage, in);
  const int64_t multiplier_bytes = HH_LANES * hh_multiplier_bytes(storage);
  int64_t at = 0;
  for (int64_t b = first; b < last; b++, at += HH_AMX_BLOCK_BYTES)
    unpack(to->high[p] + at, to->low[p] + at, values + b * hh_block_bytes(storage), multipliers + b * multiplier_bytes);
  if ((last - first) % 2 != 0) {
    memset(to->high[p] + at, 0, HH_AMX_BLOCK_BYTES);
    memset(to->low[p] + at, 0, HH_AMX_BLOCK_BYTES);
  }
}

/* Sums between two groups, for each pair of panels (rows, 32): close together, unlike rows of y. */
static _Thread_local _Alignas(64) float amx_between[HH_AMX_PANELS * HH_LANES * HH_AMX_ROWS_AT_ONCE];

/* Panels [from, to) of `count` rows, of which there are at most HH_AMX_ROWS_AT_ONCE; the first is a multiple of 16. */
HH_INLINE void amx_panels(const linear_call *l, int64_t rows, int64_t row, int64_t count, int64_t from, int64_t to,
                          const int64_t storage, amx_unpack *unpack) {
  static const float zeros[HH_LANES * 2];
  const int64_t groups = hh_group_count(l->in), panel_bytes = hh_panel_bytes(storage, l->in);
  const uint8_t *x = (const uint8_t *)l->x + row / HH_AMX_ROWS * amx_tile_bytes(l->in);
  const float *scales = amx_row_scales((uint8_t *)l->x, rows, l->in) + row * groups;
  amx_weights weights;
  for (int64_t g = 0; g < groups; g++) {
    const int64_t first = hh_group_start(l->in, g), last = hh_group_start(l->in, g + 1), chunks = (last - first + 1) / 2;
    for (int64_t panel = from; panel < to; panel += 2) {
      const int panels = to - panel > 1 ? 2 : 1;
      const int64_t output = panel * HH_LANES;
      float *between = amx_between + (panel - from) * HH_LANES * HH_AMX_ROWS_AT_ONCE;
      const uint8_t *matrix = (const uint8_t *)l->weights + panel * panel_bytes;
      amx_group group = {
          .x = x,
          .x_stride = amx_tile_bytes(l->in),
          .scales = scales + g,
          .scale_stride = groups,
          .start = g > 0 ? between : l->bias ? l->bias + output : zeros,
          .start_stride = g > 0 ? 2 * HH_LANES : 0,
          .y = g + 1 < groups ? between : l->y + row * l->out + output,
          .y_stride = g + 1 < groups ? 2 * HH_LANES : l->out,
          .outputs = l->out - output,
          .chunks = chunks,
      };
      /* Next is the same group of the next panels, or the next group of the first. */
      const int within = panel + 2 < to;
      const int64_t turn = (panel - from) / 2, next = within ? first : last;
      if (turn < chunks && g + 1 < groups)
        group.next_x = x + (amx_group_chunks(l->in) + turn) * HH_AMX_CHUNK;
      if (within || g + 1 < groups) {
        const uint8_t *panel_ahead = (const uint8_t *)l->weights + (within ? panel + 2 : from) * panel_bytes;
        for (int p = 0; p < panels; p++)
          group.next_values[p] = panel_ahead + p * panel_bytes + hh_scale_bytes(storage, l->in) + next * hh_block_bytes(storage);
        group.next_bytes = (last - first) * hh_block_bytes(storage);
      }
      for (int p = 0; p < panels; p++) {
        amx_unpack_panel(&weights, p, matrix + p * panel_bytes, storage, l->in, first, last, unpack);
        group.scale[p] = load16((const float *)(matrix + p * panel_bytes) + g * HH_LANES);
      }
      if (panels == 2 && group.outputs >= 2 * HH_LANES) amx_cross(&group, &weights, count, 2, 1);
      else if (panels == 2) amx_cross(&group, &weights, count, 2, 0);
      else amx_cross(&group, &weights, count, 1, 0);
    }
    x += amx_group_chunks(l->in) * HH_AMX_CHUNK;
  }
}

HH_INLINE void amx_linear(const linear_call *l, int64_t rows, int64_t from, int64_t to, const int64_t storage,
                          amx_unpack *unpack) {
  if (from == to) return;
  _tile_loadconfig(&amx_shape);
  for (int64_t row = 0; row < rows; row += HH_AMX_ROWS_AT_ONCE) {
    const int64_t count = rows - row < HH_AMX_ROWS_AT_ONCE ? rows - row : HH_AMX_ROWS_AT_ONCE;
    for (int64_t panel = from; panel < to; panel += HH_AMX_PANELS)
      amx_panels(l, rows, row, count, panel, panel + HH_AMX_PANELS < to ? panel + HH_AMX_PANELS : to, storage, unpack);
  }
  _tile_release();
}

#endif
