/* Packing of GGUF's blocks of Q4_K, Q6_K and MXFP4, a row at a time, which fills one lane of its panel. */
#ifndef HH_PACK_K_QUANTS_H
#define HH_PACK_K_QUANTS_H

#include <string.h>

#include "quantized.h"

#define Q4_K_BYTES 144
#define Q6_K_BYTES 210
#define MXFP4_BYTES 17

/* Sixteen bytes that hold two numbers of 4 bits each become four words of a lane, 16 lanes apart. */
static void put_pairs(uint8_t *pairs, int64_t lane, const uint8_t *from) {
  for (int i = 0; i < 16; i += 4) memcpy(pairs + (i / 4 * HH_LANES + lane) * 4, from + i, 4);
}

static uint32_t word_at(const uint8_t *bytes) {
  uint32_t word;
  memcpy(&word, bytes, 4);
  return word;
}

/* GGUF: { half d, dmin; uint8 scales[12]; uint8 q[128] }: of each 32 bytes of q the low nibbles are one group, the high
 * ones the next. Scales and minima have six bits: of groups 0 to 3 those of bytes 0 to 3 and 4 to 7; of the others the
 * nibbles of bytes 8 to 11, and above them the upper two bits of bytes 0 to 3 and 4 to 7. */
static void pack_q4_k(uint8_t *panel, const uint8_t *row, int64_t lane, int64_t in) {
  for (int64_t k = 0; k < in; k += 256, row += Q4_K_BYTES, panel += HH_Q4_K_BYTES) {
    memcpy(panel + 2 * lane, row, 2);
    memcpy(panel + 2 * (HH_LANES + lane), row + 2, 2);
    const uint8_t *packed = row + 4;
    uint8_t *scales = panel + 4 * HH_LANES + lane, *mins = scales + 8 * HH_LANES;
    for (int group = 0; group < 4; group++) {
      scales[group * HH_LANES] = packed[group] & 63;
      mins[group * HH_LANES] = packed[group + 4] & 63;
      scales[(group + 4) * HH_LANES] = (uint8_t)((packed[group + 8] & 15) | (packed[group] >> 6) << 4);
      mins[(group + 4) * HH_LANES] = (uint8_t)((packed[group + 8] >> 4) | (packed[group + 4] >> 6) << 4);
    }
    uint8_t *pairs = panel + 20 * HH_LANES;
    for (int group = 0; group < 8; group++, pairs += 16 * HH_LANES) {
      const uint8_t *q = row + 16 + group / 2 * 32;
      uint32_t words[4];
      for (int i = 0; i < 4; i++)
        words[i] = (word_at(q + 4 * i) >> group % 2 * 4 & 0x0f0f0f0f) |
                   (word_at(q + 16 + 4 * i) >> group % 2 * 4 & 0x0f0f0f0f) << 4;
      put_pairs(pairs, lane, (const uint8_t *)words);
    }
  }
}

/* GGUF: { uint8 low[128]; uint8 high[64]; int8 scale[16]; half d }. Each half of 128 weights, four rows of 32, takes 64
 * and 32 of those bytes: low nibbles are rows 0 and 1, high ones 2 and 3; a byte of `high` has two bits of each row. */
static void pack_q6_k(uint8_t *panel, const uint8_t *row, int64_t lane, int64_t in) {
  uint8_t *blocks = panel + hh_q6_k_scale_bytes(in);
  for (int64_t k = 0; k < in / 256; k++, row += Q6_K_BYTES, blocks += HH_Q6_K_BYTES) {
    memcpy(panel + (k * HH_LANES + lane) * 2, row + 208, 2);
    for (int i = 0; i < 16; i++) blocks[i * HH_LANES + lane] = row[192 + i];
    uint8_t *bits = blocks + 16 * HH_LANES;
    for (int group = 0; group < 8; group++, bits += 24 * HH_LANES) {
      const uint8_t *low = row + group / 4 * 64 + group % 2 * 32, *high = row + 128 + group / 4 * 32;
      const int shift = group % 4 / 2 * 4;
      uint32_t pairs[4], upper[8];
      for (int i = 0; i < 4; i++)
        pairs[i] = (word_at(low + 4 * i) >> shift & 0x0f0f0f0f) | (word_at(low + 16 + 4 * i) >> shift & 0x0f0f0f0f) << 4;
      for (int i = 0; i < 8; i++) upper[i] = word_at(high + 4 * i) >> group % 4 * 2 & 0x03030303;
      for (int h = 0; h < 2; h++) {
        const uint32_t word = upper[2 * h] | upper[2 * h + 1] << 2 | upper[2 * h + 4] << 4 | upper[2 * h + 5] << 6;
        memcpy(bits + (h * HH_LANES + lane) * 4, &word, 4);
      }
      put_pairs(bits + 8 * HH_LANES, lane, (const uint8_t *)pairs);
    }
  }
}

/* GGUF: { uint8 exponent; uint8 pair[16] }, pairs as in Q4_0. */
static void pack_mxfp4(uint8_t *panel, const uint8_t *row, int64_t lane, int64_t in) {
  uint8_t *pairs = panel + hh_mxfp4_scale_bytes(in);
  for (int64_t g = 0; g < in / HH_BLOCK; g++, row += MXFP4_BYTES, pairs += 16 * HH_LANES) {
    panel[g * HH_LANES + lane] = row[0];
    put_pairs(pairs, lane, row + 1);
  }
}

#endif
