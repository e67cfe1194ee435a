/* One element of a packed quantized matrix, as a float. */
#include "block_rows.h"

/* Where element i of 32 lies in pairs of nibbles of 16 lanes, and that nibble. */
static int32_t paired_nibble(const uint8_t *pairs, int64_t lane, int64_t i) {
  const uint8_t pair = pairs[(i % 16 / 4 * HH_LANES + lane) * 4 + i % 4];
  return i < 16 ? pair & 15 : pair >> 4;
}

static float q4_k_element(const uint8_t *panel, int64_t lane, int64_t k) {
  const uint8_t *block = panel + k / 256 * HH_Q4_K_BYTES, *scales = block + 4 * HH_LANES;
  const uint16_t *halves = (const uint16_t *)block;
  const int64_t group = k % 256 / HH_BLOCK;
  const float scale = float_of_half(halves[lane]) * (float)scales[group * HH_LANES + lane];
  const float min = float_of_half(halves[HH_LANES + lane]) * (float)scales[(8 + group) * HH_LANES + lane];
  const float product = scale * (float)paired_nibble(scales + (16 + 16 * group) * HH_LANES, lane, k % HH_BLOCK);
  return product - min;
}

static float q6_k_element(const uint8_t *panel, int64_t in, int64_t lane, int64_t k) {
  const uint8_t *block = panel + hh_q6_k_scale_bytes(in) + k / 256 * HH_Q6_K_BYTES;
  const uint8_t *bits = block + (16 + k % 256 / HH_BLOCK * 24) * HH_LANES;
  const int64_t i = k % HH_BLOCK, shift = i / 16 * 4 + i % 8 / 4 * 2;
  const int32_t upper = bits[(i % 16 / 8 * HH_LANES + lane) * 4 + i % 4] >> shift & 3;
  const int32_t q = paired_nibble(bits + 8 * HH_LANES, lane, i) | upper << 4;
  const int8_t scale = ((const int8_t *)block)[k % 256 / 16 * HH_LANES + lane];
  return float_of_half(((const uint16_t *)panel)[k / 256 * HH_LANES + lane]) * (float)scale * (float)(q - 32);
}

static float mxfp4_element(const uint8_t *panel, int64_t in, int64_t lane, int64_t k) {
  const uint8_t *pairs = panel + hh_mxfp4_scale_bytes(in) + k / HH_BLOCK * 16 * HH_LANES;
  const uint32_t exponent = panel[k / HH_BLOCK * HH_LANES + lane];
  const float scale = float_of_bits(exponent < 2 ? 0x00200000u << exponent : (exponent - 1) << 23);
  return scale * (float)(mxfp4_levels[paired_nibble(pairs, lane, k % HH_BLOCK)] - 12);
}

static float quantized_element(const void *matrix, int64_t storage, int64_t in, int64_t row, int64_t k) {
  const uint8_t *panel = (const uint8_t *)matrix + row / HH_LANES * hh_panel_bytes(storage, in);
  const int64_t lane = row % HH_LANES, block = k / HH_BLOCK, i = k % HH_BLOCK, groups = hh_group_count(in);
  switch (storage) {
    case HH_Q4_K: return q4_k_element(panel, lane, k);
    case HH_Q6_K: return q6_k_element(panel, in, lane, k);
    case HH_MXFP4: return mxfp4_element(panel, in, lane, k);
  }
  int64_t group = block * groups / (in / HH_BLOCK);
  if (group + 1 < groups && hh_group_start(in, group + 1) <= block) group++;
  const float scale = ((const float *)panel)[group * HH_LANES + lane];
  const uint8_t *multipliers = panel + groups * HH_LANES * 4;
  const uint8_t *values = panel + hh_scale_bytes(storage, in) + block * hh_block_bytes(storage);
  const int64_t at = block * HH_LANES + lane;
  if (storage == HH_Q8_0) return (float)((values[(i / 4 * HH_LANES + lane) * 4 + i % 4] - 128) * multipliers[at]) * scale;
  return (float)((paired_nibble(values, lane, i) - 8) * ((const int16_t *)multipliers)[at]) * scale;
}
