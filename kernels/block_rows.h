/* What the linear maps by blocks with scales of their own parts share: quantized rows, and small numbers as lanes. */
#ifndef HH_BLOCK_ROWS_H
#define HH_BLOCK_ROWS_H

#include "dot.h"
#include "half.h"
#include "quantized.h"

/* Rows and panels of the largest tile, and panels at once for a single row. */
#if defined(__AVX512VNNI__)
#define HH_BLOCK_ROWS 6
#define HH_BLOCK_PANELS 2
#define HH_BLOCK_ROW_PANELS 4
#elif defined(__wasm__)
#define HH_BLOCK_ROWS 4
#define HH_BLOCK_PANELS 1
#define HH_BLOCK_ROW_PANELS 1
#elif HH_WIDTH == 16
#define HH_BLOCK_ROWS 4
#define HH_BLOCK_PANELS 2
#define HH_BLOCK_ROW_PANELS 2
#else
#define HH_BLOCK_ROWS 2
#define HH_BLOCK_PANELS 1
#define HH_BLOCK_ROW_PANELS 2
#endif

/* Quantized rows from one on, as HH_QUANTIZE_ROWS lays them out; a row's parts are `elements` or `words` apart. */
typedef struct {
  const activation_element *x;
  const float *scales;
  const int32_t *offsets, *first_offsets;
  int64_t elements, words;
} block_rows;

HH_INLINE block_rows block_rows_from(const void *rows, int64_t row, int64_t in) {
  const int64_t bytes = hh_quantized_bytes(in), blocks = in / HH_BLOCK;
  const uint8_t *x = (const uint8_t *)rows + row * bytes;
  const float *scales = (const float *)(x + in * HH_ACTIVATION_BYTES);
  const int32_t *offsets = (const int32_t *)(scales + hh_group_count(in));
  return (block_rows){(const activation_element *)x, scales,   offsets, offsets + blocks,
                      bytes / (int64_t)sizeof(activation_element), bytes / 4};
}

/* 12 + the level of each code of MXFP4, a level being twice the number of E2M1. */
static const uint8_t mxfp4_levels[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};

/* 2^(exponent - 128) of sixteen exponents of MXFP4, the least of which are subnormal: a product of two powers that are not. */
HH_INLINE f32x16 mxfp4_scales(const uint8_t *exponents) {
  const i32x16 exponent = widen_bytes(exponents), bias = splat_int(127 - 64);
  const i32x16 floor = shift_right(exponent, 1), ceiling = shift_right(add_int(exponent, splat_int(1)), 1);
  return mul16(of_bits(shift_left(add_int(floor, bias), 23)), of_bits(shift_left(add_int(ceiling, bias), 23)));
}

/* Sixteen signed bytes as integers. */
HH_INLINE i32x16 widen_signed_bytes(const int8_t *from) {
  return shift_right(shift_left(widen_bytes((const uint8_t *)from), 24), 24);
}

/* table[i] for the 64 bytes of `indices`, each below 16. */
HH_INLINE i32x16 look_up(const uint8_t *table, i32x16 indices) {
#if HH_WIDTH == 16
  const __m512i entries = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)table));
  indices.part[0] = (i32_part)_mm512_shuffle_epi8(entries, (__m512i)indices.part[0]);
#elif HH_WIDTH == 8
  const __m256i entries = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
  HH_EACH_PART(i) indices.part[i] = (i32_part)_mm256_shuffle_epi8(entries, (__m256i)indices.part[i]);
#elif defined(HH_WASM_LANES)
  const v128_t entries = wasm_v128_load(table);
  HH_EACH_PART(i) indices.part[i] = (i32_part)wasm_i8x16_swizzle(entries, (v128_t)indices.part[i]);
#elif defined(HH_NEON_LANES)
  const uint8x16_t entries = vld1q_u8(table);
  HH_EACH_PART(i) indices.part[i] = (i32_part)vqtbl1q_u8(entries, (uint8x16_t)indices.part[i]);
#else
  uint8_t bytes[4 * HH_LANES];
  memcpy(bytes, &indices, sizeof bytes);
  for (int i = 0; i < 4 * HH_LANES; i++) bytes[i] = table[bytes[i]];
  memcpy(&indices, bytes, sizeof bytes);
#endif
  return indices;
}

#endif
