/* A linear map of each row by a packed matrix of Q4_K: y = W x + b, x quantized to int8 in groups of 256.
 *
 * Arguments: 0 y (rows, out), 1 quantized x (see HH_QUANTIZE_ROWS), 2 W packed, 3 bias (out) or 0, 4 out, 5 in, a
 * multiple of 256. A weight is (d * scale) * q - (dmin * min), scale and min integers that 32 of them share, d and dmin
 * floats that 256 share. Starting from the bias, for one group of 256 after the other, two fused multiply-adds, sums of
 * integers being exact:
 *   y += (sum over blocks of min * -(sum of x)) * (dmin * scale of x);
 *   y += (sum over blocks of scale * (sum of q x)) * (d * scale of x). */
#include "block_rows.h"

/* The sums of the products of block `b` of a group. */
HH_INLINE void linear_q4_k_block(i32x16 dot[6][4], const uint8_t *pairs, int64_t panel_bytes,
                                 const activation_element *x, int64_t elements, const int rows, const int panels) {
  const i32x16 low = splat_int(0x0f0f0f0f);
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int p = 0; p < panels; p++) dot[r][p] = splat_int(0);
  HH_UNROLL for (int q = 0; q < 4; q++) {
    i32x16 weights[4], upper[4];
    HH_UNROLL for (int p = 0; p < panels; p++) {
      const i32x16 pair = load_ints(pairs + p * panel_bytes + q * 64);
      weights[p] = and_int(pair, low);
      upper[p] = and_int(shift_right(pair, 4), low);
    }
    HH_UNROLL for (int r = 0; r < rows; r++) {
      const dot_activations v = load_activations(x + r * elements + 4 * q);
      const dot_activations u = load_activations(x + r * elements + 4 * q + 16);
      HH_UNROLL for (int p = 0; p < panels; p++) dot[r][p] = dot4(dot4(dot[r][p], weights[p], v), upper[p], u);
    }
  }
}

/* What the minima of group `g` take from the sums. */
HH_INLINE void linear_q4_k_minima(f32x16 sum[6][4], const uint8_t *group, int64_t panel_bytes, const block_rows *x,
                                  int64_t g, const int rows, const int panels) {
  i32x16 total[6][4];
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int p = 0; p < panels; p++) total[r][p] = splat_int(0);
  HH_UNROLL for (int b = 0; b < 8; b++) {
    i32x16 min[4];
    HH_UNROLL for (int p = 0; p < panels; p++) min[p] = widen_bytes(group + p * panel_bytes + (12 + b) * HH_LANES);
    HH_UNROLL for (int r = 0; r < rows; r++) {
      const i32x16 negative = splat_int(x->offsets[r * x->words + 8 * g + b] >> 7);
      HH_UNROLL for (int p = 0; p < panels; p++) total[r][p] = add_short_product(total[r][p], negative, min[p]);
    }
  }
  HH_UNROLL for (int p = 0; p < panels; p++) {
    const f32x16 dmin = load_halves((const uint16_t *)(group + p * panel_bytes) + HH_LANES);
    HH_UNROLL for (int r = 0; r < rows; r++)
      sum[r][p] = fma16(float_of_int(total[r][p]), mul16(dmin, splat16(x->scales[r * x->words + g])), sum[r][p]);
  }
}

HH_INLINE void linear_q4_k_tile(const linear_call *l, int64_t row, int64_t panel, int64_t from, int64_t to,
                                const int rows, const int panels, const int half) {
  const int64_t panel_bytes = hh_panel_bytes(HH_Q4_K, l->in);
  const uint8_t *w = (const uint8_t *)l->weights + panel * panel_bytes;
  const block_rows x = block_rows_from(l->x, row, l->in);
  f32x16 sum[6][4];
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int p = 0; p < panels; p++) sum[r][p] = linear_start(l, row + r, panel + p, from);
  for (int64_t g = from; g < to; g++) {
    const uint8_t *group = w + g * HH_Q4_K_BYTES, *pairs = group + 20 * HH_LANES;
    linear_q4_k_minima(sum, group, panel_bytes, &x, g, rows, panels);
    i32x16 total[6][4];
    HH_UNROLL for (int r = 0; r < rows; r++)
      HH_UNROLL for (int p = 0; p < panels; p++) total[r][p] = splat_int(0);
    for (int64_t b = 0; b < 8; b++) {
      i32x16 dot[6][4];
      linear_q4_k_block(dot, pairs + b * 16 * HH_LANES, panel_bytes, x.x + (8 * g + b) * HH_BLOCK, x.elements, rows,
                        panels);
      HH_UNROLL for (int p = 0; p < panels; p++) {
        const i32x16 scale = widen_bytes(group + p * panel_bytes + (4 + b) * HH_LANES);
        HH_UNROLL for (int r = 0; r < rows; r++) total[r][p] = add_int(total[r][p], mul_int(dot[r][p], scale));
      }
    }
    HH_UNROLL for (int p = 0; p < panels; p++) {
      const f32x16 d = load_halves((const uint16_t *)(group + p * panel_bytes));
      HH_UNROLL for (int r = 0; r < rows; r++)
        sum[r][p] = fma16(float_of_int(total[r][p]), mul16(d, splat16(x.scales[r * x.words + g])), sum[r][p]);
    }
  }
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int p = 0; p < panels; p++) linear_finish(l, row + r, panel + p, sum[r][p], half);
}

#define BLOCKS_NAME(name) linear_q4_k_##name
#define BLOCKS_AMX(l, rows, from, to) amx_blocks(l, rows, from, to, HH_Q4_K, 2, amx_fill_q4_k)
#define BLOCKS_ROWS HH_BLOCK_ROWS
#define BLOCKS_PANELS HH_BLOCK_PANELS
#define BLOCKS_ROW_PANELS HH_BLOCK_ROW_PANELS
#include "linear_blocks.h"
