/* A linear map of many rows by a packed matrix of blocks on AMX: the same integers as by linear_blocks.h, so the same bits.
 *
 * As in linear_amx.h, weights times their integer scales are 16-bit integers, cut into an upper and a lower byte. A group
 * takes one or more *steps*, each a sum of integers that is scaled and added to y: its minima and then its products
 * (Q4_K), its products (Q6_K), the products of each block (MXFP4). */
#ifndef HH_LINEAR_BLOCKS_AMX_H
#define HH_LINEAR_BLOCKS_AMX_H

#include "block_rows.h"
#include "linear_amx.h"

/* What a step multiplies: chunks of 64 elements of the group's activations. */
typedef struct {
  int64_t first_chunk, chunks;
} amx_span;

/* Unpacks what step `step` of group `g` needs of a panel, and its scale. */
typedef amx_span amx_fill(amx_weights *to, int p, f32x16 *scale, const uint8_t *panel, int64_t in, int64_t g, int64_t step);

/* Panels [from, to) of `count` rows, of which there are at most HH_AMX_ROWS_AT_ONCE; the first is a multiple of 16.
 * `steps`: of a group; 0: as many as it has blocks. */
HH_INLINE void amx_block_panels(const linear_call *l, int64_t rows, int64_t row, int64_t count, int64_t from, int64_t to,
                                const int64_t storage, const int64_t steps, amx_fill *fill) {
  static const float zeros[HH_LANES * 2];
  const int64_t groups = hh_group_count(l->in), panel_bytes = hh_panel_bytes(storage, l->in);
  const uint8_t *x = (const uint8_t *)l->x + row / HH_AMX_ROWS * amx_tile_bytes(l->in);
  const float *scales = amx_row_scales((uint8_t *)l->x, rows, l->in) + row * groups;
  amx_weights weights;
  for (int64_t g = 0; g < groups; g++, x += amx_group_chunks(l->in) * HH_AMX_CHUNK) {
    const int64_t last = steps > 0 ? steps : hh_group_start(l->in, g + 1) - hh_group_start(l->in, g);
    for (int64_t panel = from; panel < to; panel += 2) {
      const int panels = to - panel > 1 ? 2 : 1;
      const int64_t output = panel * HH_LANES;
      float *between = amx_between + (panel - from) * HH_LANES * HH_AMX_ROWS_AT_ONCE;
      const uint8_t *matrix = (const uint8_t *)l->weights + panel * panel_bytes;
      for (int64_t step = 0; step < last; step++) {
        const int begins = g == 0 && step == 0, ends = g + 1 == groups && step + 1 == last;
        amx_group group = {
            .x_stride = amx_tile_bytes(l->in),
            .scales = scales + g,
            .scale_stride = groups,
            .start = !begins ? between : l->bias ? l->bias + output : zeros,
            .start_stride = begins ? 0 : 2 * HH_LANES,
            .y = ends ? l->y + row * l->out + output : between,
            .y_stride = ends ? l->out : 2 * HH_LANES,
            .outputs = l->out - output,
        };
        amx_span span = {0, 0};
        for (int p = 0; p < panels; p++)
          span = fill(&weights, p, &group.scale[p], matrix + p * panel_bytes, l->in, g, step);
        group.x = x + span.first_chunk * HH_AMX_CHUNK;
        group.chunks = span.chunks;
        if (panels == 2 && group.outputs >= 2 * HH_LANES) amx_cross(&group, &weights, count, 2, 1);
        else if (panels == 2) amx_cross(&group, &weights, count, 2, 0);
        else amx_cross(&group, &weights, count, 1, 0);
      }
    }
  }
}

HH_INLINE void amx_blocks(const linear_call *l, int64_t rows, int64_t from, int64_t to, const int64_t storage,
                          const int64_t steps, amx_fill *fill) {
  _tile_loadconfig(&amx_shape);
  for (int64_t row = 0; row < rows; row += HH_AMX_ROWS_AT_ONCE) {
    const int64_t count = rows - row < HH_AMX_ROWS_AT_ONCE ? rows - row : HH_AMX_ROWS_AT_ONCE;
    for (int64_t panel = from; panel < to; panel += HH_AMX_PANELS) {
      const int64_t end = panel + HH_AMX_PANELS < to ? panel + HH_AMX_PANELS : to;
      amx_block_panels(l, rows, row, count, panel, end, storage, steps, fill);
    }
  }
  _tile_release();
}

/* Stores 64 unsigned bytes less `offset`, times a multiplier for each lane. */
HH_INLINE void amx_store_products(uint8_t *high, uint8_t *low, __m512i bytes, int offset, __m512i multiplier) {
  const __m512i less = _mm512_set1_epi16((int16_t)offset);
  const __m512i even = _mm512_sub_epi16(_mm512_and_si512(bytes, _mm512_set1_epi16(0xff)), less);
  const __m512i odd = _mm512_sub_epi16(_mm512_srli_epi16(bytes, 8), less);
  amx_store(high, low, _mm512_mullo_epi16(even, multiplier), _mm512_mullo_epi16(odd, multiplier));
}

/* The minima, negated by their scale, for step 0; the products for step 1. */
static amx_span amx_fill_q4_k(amx_weights *to, int p, f32x16 *scale, const uint8_t *panel, int64_t in, int64_t g,
                              int64_t step) {
  (void)in;
  const uint8_t *group = panel + g * HH_Q4_K_BYTES, *pairs = group + 20 * HH_LANES;
  const __m512i nibble = _mm512_set1_epi8(15);
  uint8_t *high = to->high[p], *low = to->low[p];
  const f32x16 factor = load_halves((const uint16_t *)group + (step == 0 ? HH_LANES : 0));
  *scale = step == 0 ? sub16(splat16(0.0f), factor) : factor;
  for (int b = 0; b < 8; b++, high += HH_AMX_BLOCK_BYTES, low += HH_AMX_BLOCK_BYTES) {
    const i32x16 integer = widen_bytes(group + ((step == 0 ? 12 : 4) + b) * HH_LANES);
    const __m512i multiplier = amx_twice(integer);
    for (int q = 0; q < 4; q++) {
      if (step == 0) {
        const __m512i everywhere = _mm512_or_si512(multiplier, _mm512_slli_epi16(multiplier, 8));
        _mm512_store_si512(low + q * 64, everywhere);
        _mm512_store_si512(low + (q + 4) * 64, everywhere);
        _mm512_store_si512(high + q * 64, _mm512_setzero_si512());
        _mm512_store_si512(high + (q + 4) * 64, _mm512_setzero_si512());
        continue;
      }
      const __m512i pair = _mm512_loadu_si512(pairs + (b * 4 + q) * 64);
      amx_store_products(high + q * 64, low + q * 64, _mm512_and_si512(pair, nibble), 0, multiplier);
      amx_store_products(high + (q + 4) * 64, low + (q + 4) * 64,
                         _mm512_and_si512(_mm512_srli_epi16(pair, 4), nibble), 0, multiplier);
    }
  }
  return (amx_span){0, 4};
}

static amx_span amx_fill_q6_k(amx_weights *to, int p, f32x16 *scale, const uint8_t *panel, int64_t in, int64_t g,
                              int64_t step) {
  (void)step;
  const uint8_t *group = panel + hh_q6_k_scale_bytes(in) + g * HH_Q6_K_BYTES, *bits = group + 16 * HH_LANES;
  const __m512i nibble = _mm512_set1_epi8(15), upper = _mm512_set1_epi8(0x30);
  uint8_t *high = to->high[p], *low = to->low[p];
  *scale = load_halves((const uint16_t *)panel + g * HH_LANES);
  for (int b = 0; b < 8; b++, bits += 24 * HH_LANES, high += HH_AMX_BLOCK_BYTES, low += HH_AMX_BLOCK_BYTES) {
    const __m512i first = amx_twice(widen_signed_bytes((const int8_t *)group + 2 * b * HH_LANES));
    const __m512i second = amx_twice(widen_signed_bytes((const int8_t *)group + (2 * b + 1) * HH_LANES));
    for (int q = 0; q < 4; q++) {
      const __m512i pair = _mm512_loadu_si512(bits + 8 * HH_LANES + q * 64);
      const __m512i two = _mm512_srlv_epi16(_mm512_loadu_si512(bits + q / 2 * 64), _mm512_set1_epi16((int16_t)(q % 2 * 2)));
      const __m512i lower = _mm512_or_si512(_mm512_and_si512(pair, nibble), _mm512_and_si512(_mm512_slli_epi16(two, 4), upper));
      const __m512i rest = _mm512_or_si512(_mm512_and_si512(_mm512_srli_epi16(pair, 4), nibble), _mm512_and_si512(two, upper));
      amx_store_products(high + q * 64, low + q * 64, lower, 32, first);
      amx_store_products(high + (q + 4) * 64, low + (q + 4) * 64, rest, 32, second);
    }
  }
  return (amx_span){0, 4};
}

/* Levels as 16-bit integers; the other block of the chunk is zero. */
static amx_span amx_fill_mxfp4(amx_weights *to, int p, f32x16 *scale, const uint8_t *panel, int64_t in, int64_t g,
                               int64_t step) {
  const int64_t block = hh_group_start(in, g) + step;
  const uint8_t *pairs = panel + hh_mxfp4_scale_bytes(in) + block * 16 * HH_LANES;
  const i32x16 nibble = splat_int(0x0f0f0f0f);
  static const uint8_t lower[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, 255, 254, 253, 252, 250, 248, 244};
  static const uint8_t upper[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255};
  uint8_t *high = to->high[p] + step % 2 * HH_AMX_BLOCK_BYTES, *low = to->low[p] + step % 2 * HH_AMX_BLOCK_BYTES;
  *scale = mxfp4_scales(panel + block * HH_LANES);
  memset(to->high[p], 0, 2 * HH_AMX_BLOCK_BYTES);
  memset(to->low[p], 0, 2 * HH_AMX_BLOCK_BYTES);
  for (int q = 0; q < 4; q++) {
    const i32x16 pair = load_ints(pairs + q * 64), codes = and_int(pair, nibble);
    const i32x16 others = and_int(shift_right(pair, 4), nibble);
    _mm512_store_si512(low + q * 64, (__m512i)look_up(lower, codes).part[0]);
    _mm512_store_si512(high + q * 64, (__m512i)look_up(upper, codes).part[0]);
    _mm512_store_si512(low + (q + 4) * 64, (__m512i)look_up(lower, others).part[0]);
    _mm512_store_si512(high + (q + 4) * 64, (__m512i)look_up(upper, others).part[0]);
  }
  return (amx_span){step / 2, 1};
}

#endif
