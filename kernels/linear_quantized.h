/* A linear map of each row by a packed matrix of blocks of small integers: y = W x + b, x quantized to int8 blocks.
 *
 * Arguments: 0 y (rows, out), 1 quantized x (see HH_QUANTIZE_ROWS), 2 W packed, 3 bias (out) or 0, 4 out, 5 in.
 * Inside a group of about 256 all is integer, hence exact in any order: the products of each block of 32 are summed,
 * multiplied by the block's multiplier, and added up. A group's sum, as float, is multiplied by (scale of W * scale of
 * x) and added by a fused multiply-add, group after group, starting from the bias.
 * Weights are stored with an offset that makes them unsigned; a block's sum starts from -offset * (sum of x).
 *
 * Included once per storage type, with QUANTIZED_NAME(name), QUANTIZED_ID (as in hitherto.h), QUANTIZED_STORAGE (bits),
 * QUANTIZED_OFFSET_SHIFT: offset = 128 >> shift, QUANTIZED_ADD_PRODUCT(total, dot, multiplier), and
 * QUANTIZED_AMX_UNPACK, a function of linear_amx.h. */

#ifndef HH_QUANTIZED_ROWS
#if defined(__AVX512VNNI__)
#define HH_QUANTIZED_ROWS 8
#define HH_QUANTIZED_PANELS 2
#define HH_QUANTIZED_ROW_PANELS 4
#elif HH_WIDTH == 1
#define HH_QUANTIZED_ROWS 1
#define HH_QUANTIZED_PANELS 1
#define HH_QUANTIZED_ROW_PANELS 1
#elif defined(HH_ISA_RELAXED_DOT) || defined(HH_ISA_RELAXED_SIGNED_DOT)
#define HH_QUANTIZED_ROWS 6
#define HH_QUANTIZED_PANELS 1
#define HH_QUANTIZED_ROW_PANELS 1
#elif defined(__wasm__)
#define HH_QUANTIZED_ROWS 4
#define HH_QUANTIZED_PANELS 1
#define HH_QUANTIZED_ROW_PANELS 1
#elif HH_WIDTH == 16
#define HH_QUANTIZED_ROWS 4
#define HH_QUANTIZED_PANELS 2
#define HH_QUANTIZED_ROW_PANELS 2
#else
#define HH_QUANTIZED_ROWS 2
#define HH_QUANTIZED_PANELS 1
#define HH_QUANTIZED_ROW_PANELS 2
#endif
/* How many bytes ahead weights are asked for: the processor alone foresees neither the next page nor the next panel, and
 * asks for nothing while several rows are multiplied by what is there. A single row of bytes is too quick to gain by it
 * from memory, and loses where a cache holds the weights. */
#define HH_QUANTIZED_AHEAD 16384
/* How the steps of a block run: with two products for each four weights, unrolled ones need more registers than 16. */
#if defined(__wasm__) && defined(HH_WIDE_ACTIVATIONS)
#define HH_QUANTIZED_STEPS _Pragma("clang loop unroll(disable)")
#else
#define HH_QUANTIZED_STEPS HH_UNROLL
#endif
#endif

#if QUANTIZED_STORAGE == 8
#define QUANTIZED_START(offset) dot_start(offset)
#else
#define QUANTIZED_START(offset) ((offset) >> QUANTIZED_OFFSET_SHIFT)
#endif

/* The integer sums of block `g`, products of `panels` x `rows`. */
HH_INLINE void QUANTIZED_NAME(block)(i32x16 dot[8][4], const uint8_t *values, int64_t panel_bytes,
                                     const activation_element *x, int64_t row_elements, const int rows, const int panels,
                                     const int half) {
#if QUANTIZED_STORAGE == 8
  HH_QUANTIZED_STEPS for (int q = 0; q < 8; q++) {
    i32x16 weights[4];
    HH_UNROLL for (int p = 0; p < panels; p++) {
      weights[p] = dot_weights(load_ints(values + p * panel_bytes + q * 64));
      if (rows > 1) __builtin_prefetch(values + p * panel_bytes + q * 64 + HH_QUANTIZED_AHEAD);
    }
    HH_UNROLL for (int r = 0; r < rows; r++) {
      const dot_activations v = load_activations(x + r * row_elements + 4 * q);
      HH_UNROLL for (int p = 0; p < panels; p++) dot[r][p] = dot4(dot[r][p], weights[p], v);
      HH_UNROLL for (int p = 0; p < panels; p++) HH_SETTLE(dot[r][p], half);
    }
  }
#else
  const i32x16 low = splat_int(0x0f0f0f0f);
  HH_QUANTIZED_STEPS for (int q = 0; q < 4; q++) {
    i32x16 weights[4], upper[4];
    HH_UNROLL for (int p = 0; p < panels; p++) {
      const i32x16 pair = load_ints(values + p * panel_bytes + q * 64);
      weights[p] = and_int(pair, low);
      __builtin_prefetch(values + p * panel_bytes + q * 64 + HH_QUANTIZED_AHEAD);
      upper[p] = and_int(shift_right(pair, 4), low);
    }
    HH_UNROLL for (int r = 0; r < rows; r++) {
      const dot_activations v = load_activations(x + r * row_elements + 4 * q);
      const dot_activations u = load_activations(x + r * row_elements + 4 * q + 16);
      HH_UNROLL for (int p = 0; p < panels; p++) dot[r][p] = dot4(dot4(dot[r][p], weights[p], v), upper[p], u);
      HH_UNROLL for (int p = 0; p < panels; p++) HH_SETTLE(dot[r][p], half);
    }
  }
#endif
}

/* Multipliers of block `b` of a panel. */
HH_INLINE i32x16 QUANTIZED_NAME(multipliers)(const uint8_t *multipliers, int64_t b) {
#if QUANTIZED_STORAGE == 8
  return widen_bytes(multipliers + b * HH_LANES);
#else
  return load_short_factors((const int16_t *)multipliers + b * HH_LANES);
#endif
}

/* A tile over the groups [from, to). */
HH_INLINE void QUANTIZED_NAME(tile)(const linear_call *l, int64_t row, int64_t panel, int64_t from, int64_t to,
                                    const int rows, const int panels, const int half) {
  const int64_t groups = hh_group_count(l->in), block_bytes = hh_block_bytes(QUANTIZED_ID);
  const int64_t panel_bytes = hh_panel_bytes(QUANTIZED_ID, l->in), row_bytes = hh_quantized_bytes(l->in);
  const uint8_t *w = (const uint8_t *)l->weights + panel * panel_bytes, *x = (const uint8_t *)l->x + row * row_bytes;
  const uint8_t *values = w + hh_scale_bytes(QUANTIZED_ID, l->in), *multipliers = w + groups * HH_LANES * 4;
  const float *scales = (const float *)(x + l->in * HH_ACTIVATION_BYTES);
  const int32_t *offsets = (const int32_t *)(scales + groups);
  f32x16 sum[8][4];
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int p = 0; p < panels; p++) sum[r][p] = linear_start(l, row + r, panel + p, from);
  for (int64_t g = from; g < to; g++) {
    const int64_t end = hh_group_start(l->in, g + 1);
    i32x16 total[8][4];
    HH_UNROLL for (int r = 0; r < rows; r++)
      HH_UNROLL for (int p = 0; p < panels; p++) total[r][p] = splat_int(0);
    for (int64_t b = hh_group_start(l->in, g); b < end; b++) {
      i32x16 dot[8][4];
      HH_UNROLL for (int r = 0; r < rows; r++) {
        const i32x16 start = splat_int(QUANTIZED_START(offsets[r * row_bytes / 4 + b]));
        HH_UNROLL for (int p = 0; p < panels; p++) dot[r][p] = start;
      }
      QUANTIZED_NAME(block)(dot, values + b * block_bytes, panel_bytes, (const activation_element *)x + b * HH_BLOCK,
                            row_bytes / (int64_t)sizeof(activation_element), rows, panels, half);
      HH_UNROLL for (int p = 0; p < panels; p++) {
        const i32x16 multiplier = QUANTIZED_NAME(multipliers)(multipliers + p * panel_bytes, b);
        HH_UNROLL for (int r = 0; r < rows; r++) total[r][p] = QUANTIZED_ADD_PRODUCT(total[r][p], dot[r][p], multiplier);
      }
    }
    HH_UNROLL for (int p = 0; p < panels; p++) {
      const f32x16 scale = load16((const float *)(w + p * panel_bytes) + g * HH_LANES);
      HH_UNROLL for (int r = 0; r < rows; r++)
        sum[r][p] = fma16(float_of_int(total[r][p]), mul16(scale, splat16(scales[r * row_bytes / 4 + g])), sum[r][p]);
    }
  }
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int p = 0; p < panels; p++) linear_finish(l, row + r, panel + p, sum[r][p], half);
}

#define BLOCKS_NAME(name) QUANTIZED_NAME(name)
#define BLOCKS_AMX(l, rows, from, to) amx_linear(l, rows, from, to, QUANTIZED_ID, QUANTIZED_AMX_UNPACK)
#define BLOCKS_ROWS HH_QUANTIZED_ROWS
#define BLOCKS_PANELS HH_QUANTIZED_PANELS
#define BLOCKS_ROW_PANELS HH_QUANTIZED_ROW_PANELS
#include "linear_blocks.h"

#undef QUANTIZED_START
#undef QUANTIZED_NAME
#undef QUANTIZED_ID
#undef QUANTIZED_STORAGE
#undef QUANTIZED_ADD_PRODUCT
#undef QUANTIZED_AMX_UNPACK
#undef QUANTIZED_OFFSET_SHIFT
