/* A linear map of each row by a packed matrix of MXFP4: y = W x + b, x quantized to int8 in groups.
 *
 * Arguments: 0 y (rows, out), 1 quantized x (see HH_QUANTIZE_ROWS), 2 W packed, 3 bias (out) or 0, 4 out, 5 in, a
 * multiple of 32. A weight is 2^(exponent - 128) * level, level one of 0, 1, 2, 3, 4, 6, 8, 12 with a sign. Starting
 * from the bias, for one block of 32 after the other, a fused multiply-add:
 * sum += (integer sum of level x) * (2^(exponent - 128) * scale of x). */
#include "block_rows.h"

HH_INLINE void linear_mxfp4_tile(const linear_call *l, int64_t row, int64_t panel, int64_t from, int64_t to,
                                 const int rows, const int panels, const int half) {
  const int64_t panel_bytes = hh_panel_bytes(HH_MXFP4, l->in);
  const uint8_t *w = (const uint8_t *)l->weights + panel * panel_bytes, *blocks = w + hh_mxfp4_scale_bytes(l->in);
  const block_rows x = block_rows_from(l->x, row, l->in);
  const i32x16 low = splat_int(0x0f0f0f0f);
  f32x16 sum[6][4];
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int p = 0; p < panels; p++) sum[r][p] = linear_start(l, row + r, panel + p, from);
  for (int64_t g = from, k = hh_group_start(l->in, from); g < to; g++) {
    for (const int64_t end = hh_group_start(l->in, g + 1); k < end; k++) {
      i32x16 dot[6][4];
      HH_UNROLL for (int r = 0; r < rows; r++) {
        const i32x16 start = splat_int((x.offsets[r * x.words + k] >> 7) * 12);
        HH_UNROLL for (int p = 0; p < panels; p++) dot[r][p] = start;
      }
      HH_UNROLL for (int q = 0; q < 4; q++) {
        i32x16 weights[4], upper[4];
        HH_UNROLL for (int p = 0; p < panels; p++) {
          const i32x16 pair = load_ints(blocks + p * panel_bytes + (k * 4 + q) * 64);
          weights[p] = look_up(mxfp4_levels, and_int(pair, low));
          upper[p] = look_up(mxfp4_levels, and_int(shift_right(pair, 4), low));
        }
        HH_UNROLL for (int r = 0; r < rows; r++) {
          const activation_element *values = x.x + r * x.elements + k * HH_BLOCK + 4 * q;
          const dot_activations v = load_activations(values), u = load_activations(values + 16);
          HH_UNROLL for (int p = 0; p < panels; p++) dot[r][p] = dot4(dot4(dot[r][p], weights[p], v), upper[p], u);
        }
      }
      HH_UNROLL for (int p = 0; p < panels; p++) {
        const f32x16 scale = mxfp4_scales(w + p * panel_bytes + k * HH_LANES);
        HH_UNROLL for (int r = 0; r < rows; r++)
          sum[r][p] = fma16(float_of_int(dot[r][p]), mul16(scale, splat16(x.scales[r * x.words + g])), sum[r][p]);
      }
    }
  }
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int p = 0; p < panels; p++) linear_finish(l, row + r, panel + p, sum[r][p], half);
}

#define BLOCKS_NAME(name) linear_mxfp4_##name
#define BLOCKS_AMX(l, rows, from, to) amx_blocks(l, rows, from, to, HH_MXFP4, 0, amx_fill_mxfp4)
#define BLOCKS_ROWS HH_BLOCK_ROWS
#define BLOCKS_PANELS HH_BLOCK_PANELS
#define BLOCKS_ROW_PANELS HH_BLOCK_ROW_PANELS
#include "linear_blocks.h"
