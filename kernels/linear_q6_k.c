/* A linear map of each row by a packed matrix of Q6_K: y = W x + b, x quantized to int8 in groups of 256.
 *
 * Arguments: 0 y (rows, out), 1 quantized x (see HH_QUANTIZE_ROWS), 2 W packed, 3 bias (out) or 0, 4 out, 5 in, a
 * multiple of 256. A weight is (d * scale) * (q - 32), scale an integer that 16 of them share, d a float that 256 share.
 * Starting from the bias, for one group of 256 after the other, a fused multiply-add, the sum of integers being exact:
 * y += (sum over parts of 16 of scale * (sum of (q - 32) x)) * (d * scale of x). */
#include "block_rows.h"

/* The sums of the products of the first (0) or second (1) half of a block: in the low or high nibbles of its pairs, and
 * the low or high halves of the other bits. `start` holds a row's -32 * (sum of x). */
HH_INLINE void linear_q6_k_part(i32x16 dot[6][4], const int32_t *start, const uint8_t *bits, int64_t panel_bytes,
                                const activation_element *x, int64_t elements, const int part, const int rows,
                                const int panels) {
  const i32x16 low = splat_int(0x0f0f0f0f), high = splat_int(0x30303030);
  const uint8_t *pairs = bits + 8 * HH_LANES;
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int p = 0; p < panels; p++) dot[r][p] = splat_int(start[r]);
  HH_UNROLL for (int q = 0; q < 4; q++) {
    i32x16 weights[4];
    HH_UNROLL for (int p = 0; p < panels; p++) {
      const i32x16 pair = load_ints(pairs + p * panel_bytes + q * 64);
      const i32x16 two = load_ints(bits + p * panel_bytes + q / 2 * 64);
      const i32x16 upper = part == 0 ? shift_left(two, 4 - q % 2 * 2) : shift_right(two, q % 2 * 2);
      weights[p] = or_int(and_int(part == 0 ? pair : shift_right(pair, 4), low), and_int(upper, high));
    }
    HH_UNROLL for (int r = 0; r < rows; r++) {
      const dot_activations v = load_activations(x + r * elements + part * 16 + 4 * q);
      HH_UNROLL for (int p = 0; p < panels; p++) dot[r][p] = dot4(dot[r][p], weights[p], v);
    }
  }
}

HH_INLINE void linear_q6_k_tile(const linear_call *l, int64_t row, int64_t panel, int64_t from, int64_t to,
                                const int rows, const int panels, const int half) {
  const int64_t panel_bytes = hh_panel_bytes(HH_Q6_K, l->in);
  const uint8_t *w = (const uint8_t *)l->weights + panel * panel_bytes, *groups = w + hh_q6_k_scale_bytes(l->in);
  const block_rows x = block_rows_from(l->x, row, l->in);
  f32x16 sum[6][4];
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int p = 0; p < panels; p++) sum[r][p] = linear_start(l, row + r, panel + p, from);
  for (int64_t g = from; g < to; g++) {
    const uint8_t *group = groups + g * HH_Q6_K_BYTES, *bits = group + 16 * HH_LANES;
    i32x16 total[6][4];
    HH_UNROLL for (int r = 0; r < rows; r++)
      HH_UNROLL for (int p = 0; p < panels; p++) total[r][p] = splat_int(0);
    for (int64_t b = 0; b < 8; b++) {
      int32_t start[2][6];
      HH_UNROLL for (int r = 0; r < rows; r++) {
        const int32_t first = x.first_offsets[r * x.words + 8 * g + b] >> 2;
        start[0][r] = first;
        start[1][r] = (x.offsets[r * x.words + 8 * g + b] >> 2) - first;
      }
      HH_UNROLL for (int part = 0; part < 2; part++) {
        i32x16 dot[6][4];
        linear_q6_k_part(dot, start[part], bits + b * 24 * HH_LANES, panel_bytes, x.x + (8 * g + b) * HH_BLOCK,
                         x.elements, part, rows, panels);
        HH_UNROLL for (int p = 0; p < panels; p++) {
          const i32x16 scale = widen_signed_bytes((const int8_t *)group + p * panel_bytes + (2 * b + part) * HH_LANES);
          HH_UNROLL for (int r = 0; r < rows; r++) total[r][p] = add_int(total[r][p], mul_int(dot[r][p], scale));
        }
      }
    }
    HH_UNROLL for (int p = 0; p < panels; p++) {
      const f32x16 d = load_halves((const uint16_t *)(w + p * panel_bytes) + g * HH_LANES);
      HH_UNROLL for (int r = 0; r < rows; r++)
        sum[r][p] = fma16(float_of_int(total[r][p]), mul16(d, splat16(x.scales[r * x.words + g])), sum[r][p]);
    }
  }
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int p = 0; p < panels; p++) linear_finish(l, row + r, panel + p, sum[r][p], half);
}

#define BLOCKS_NAME(name) linear_q6_k_##name
#define BLOCKS_AMX(l, rows, from, to) amx_blocks(l, rows, from, to, HH_Q6_K, 1, amx_fill_q6_k)
#define BLOCKS_ROWS HH_BLOCK_ROWS
#define BLOCKS_PANELS HH_BLOCK_PANELS
#define BLOCKS_ROW_PANELS HH_BLOCK_ROW_PANELS
#include "linear_blocks.h"
