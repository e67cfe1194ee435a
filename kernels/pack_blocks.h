/* Packing of GGUF's blocks of 32 that begin with a half as their scale: Q8_0 and Q4_0. One row fills one lane of a
 * panel, 16 rows all of it; both go through the same functions, with the number of rows known when they are compiled. */
#ifndef HH_PACK_BLOCKS_H
#define HH_PACK_BLOCKS_H

#include "half.h"
#include "pack_words.h"
#include "quantized.h"

/* GGUF: { half scale; int8 value[32] }. */
#define Q8_0_BYTES 34
/* GGUF: { half scale; uint8 pair[16] }, element i in the low nibble of pair[i], element i + 16 in the high one. */
#define Q4_0_BYTES 18

/* More blocks than a group has (quantized.h). */
#define HH_MOST_BLOCKS 16

/* The scales of a block in `lanes` rows. */
HH_INLINE void block_scales(float *scales, const uint8_t *block, int64_t stride, int lanes) {
  for (int lane = 0; lane < lanes; lane++) {
    uint16_t half;
    memcpy(&half, block + lane * stride, 2);
    scales[lane] = float_of_half(half);
  }
}

/* round(block's scale / group's scale) */
HH_INLINE int32_t block_multiplier(float block, float group) {
  const float multiple = group == 0 ? 0 : block / group;
  /* Infinite or not a number counts as 0: the group's scale says so. */
  const float finite = multiple > -4096 && multiple < 4096 ? multiple : 0;
  return (int32_t)(finite + (finite < 0 ? -0.5f : 0.5f));
}

/* The scale of a group, and its blocks' multiples of it. `blocks` is the group's first block in the first row. */
HH_INLINE void group_multipliers(int32_t (*multiples)[HH_LANES], float *scale, const uint8_t *blocks, int64_t stride,
                                 int64_t block_bytes, int64_t count, int lanes, int32_t storage) {
  float scales[HH_MOST_BLOCKS][HH_LANES], largest[HH_LANES] = {0};
  for (int64_t b = 0; b < count; b++) {
    block_scales(scales[b], blocks + b * block_bytes, stride, lanes);
    for (int lane = 0; lane < lanes; lane++) {
      const float magnitude = __builtin_fabsf(scales[b][lane]), before = largest[lane];
      largest[lane] = magnitude <= before || before != before ? before : magnitude; /* not-a-number stays */
    }
  }
  for (int lane = 0; lane < lanes; lane++) scale[lane] = largest[lane] / (float)hh_largest_multiplier(storage);
  for (int64_t b = 0; b < count; b++)
    for (int lane = 0; lane < lanes; lane++) multiples[b][lane] = block_multiplier(scales[b][lane], scale[lane]);
}

/* 128 - (byte - 128) for each byte of four, at most 255. */
HH_INLINE uint32_t negated_bytes(uint32_t word) {
  uint32_t result = 0;
  for (int i = 0; i < 4; i++) {
    const uint32_t byte = 256 - (word >> 8 * i & 255);
    result |= (byte > 255 ? 255 : byte) << 8 * i;
  }
  return result;
}

/* One block of Q8_0: multipliers without sign, each weight w as 128 + w; as 128 - w where the block's scale is negative,
 * which is rare. `to` and `multipliers` are of the first of the lanes. */
HH_INLINE void put_q8_0(uint8_t *to, uint8_t *multipliers, const int32_t *multiples, const uint8_t *from, int64_t stride,
                        int lanes) {
  if (lanes == HH_LANES) turn_panel(to, from, stride, 8, 0x80808080u);
  else put_words(to, 0, from, 8, 0x80808080u);
  int32_t signs = 0;
  for (int lane = 0; lane < lanes; lane++) {
    multipliers[lane] = (uint8_t)(multiples[lane] < 0 ? -multiples[lane] : multiples[lane]);
    signs |= multiples[lane];
  }
  if (signs >= 0) return;
  for (int lane = 0; lane < lanes; lane++)
    for (int i = 0; multiples[lane] < 0 && i < 8; i++) {
      uint32_t word;
      memcpy(&word, to + (i * HH_LANES + lane) * 4, 4);
      word = negated_bytes(word);
      memcpy(to + (i * HH_LANES + lane) * 4, &word, 4);
    }
}

/* One block of Q4_0. */
HH_INLINE void put_q4_0(uint8_t *to, int16_t *multipliers, const int32_t *multiples, const uint8_t *from, int64_t stride,
                        int lanes) {
  if (lanes == HH_LANES) turn_panel(to, from, stride, 4, 0);
  else put_words(to, 0, from, 4, 0);
  for (int lane = 0; lane < lanes; lane++) multipliers[lane] = (int16_t)multiples[lane];
}

/* `lanes` rows from lane `first` on: 16, or 1. */
HH_INLINE void pack_blocks(uint8_t *panel, const uint8_t *rows, int64_t first, int lanes, int64_t in, int32_t storage) {
  const int64_t groups = hh_group_count(in), block_bytes = storage == HH_Q8_0 ? Q8_0_BYTES : Q4_0_BYTES;
  const int64_t stride = in / HH_BLOCK * block_bytes;
  float *scales = (float *)panel + first;
  uint8_t *multipliers = panel + groups * HH_LANES * 4 + first * hh_multiplier_bytes(storage);
  uint8_t *values = panel + hh_scale_bytes(storage, in) + first * 4;
  int32_t multiples[HH_MOST_BLOCKS][HH_LANES];
  for (int64_t g = 0, block = 0; g < groups; g++) {
    const int64_t count = hh_group_start(in, g + 1) - block;
    group_multipliers(multiples, scales + g * HH_LANES, rows, stride, block_bytes, count, lanes, storage);
    for (int64_t b = 0; b < count; b++, block++, rows += block_bytes) {
      uint8_t *to = values + block * hh_block_bytes(storage);
      uint8_t *multiplier = multipliers + block * HH_LANES * hh_multiplier_bytes(storage);
      if (storage == HH_Q8_0) put_q8_0(to, multiplier, multiples[b], rows + 2, stride, lanes);
      else put_q4_0(to, (int16_t *)multiplier, multiples[b], rows + 2, stride, lanes);
    }
  }
}

static void pack_q8_0(uint8_t *panel, const uint8_t *row, int64_t lane, int64_t in) {
  pack_blocks(panel, row, lane, 1, in, HH_Q8_0);
}
static void pack_q4_0(uint8_t *panel, const uint8_t *row, int64_t lane, int64_t in) {
  pack_blocks(panel, row, lane, 1, in, HH_Q4_0);
}
static void pack_q8_0_panel(uint8_t *panel, const uint8_t *rows, int64_t in) {
  pack_blocks(panel, rows, 0, HH_LANES, in, HH_Q8_0);
}
static void pack_q4_0_panel(uint8_t *panel, const uint8_t *rows, int64_t in) {
  pack_blocks(panel, rows, 0, HH_LANES, in, HH_Q4_0);
}

#endif
