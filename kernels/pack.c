/* Packing: rows of a matrix, as files hold them, into panels of 16 outputs. Layouts stand in hitherto.h. */
#include <string.h>

#include "half.h"
#include "quantized.h"

static float block_scale(const uint8_t *block) {
  uint16_t half;
  memcpy(&half, block, 2);
  return float_of_half(half);
}

/* 128 - (byte - 128) for each byte of four, at most 255. */
static uint32_t negated_bytes(uint32_t word) {
  uint32_t result = 0;
  for (int i = 0; i < 4; i++) {
    const uint32_t byte = 256 - (word >> 8 * i & 255);
    result |= (byte > 255 ? 255 : byte) << 8 * i;
  }
  return result;
}

static int64_t panel_count(int64_t out) { return (out + HH_LANES - 1) / HH_LANES; }

size_t hh_quantized_row_bytes(int64_t in) { return (size_t)hh_quantized_bytes(in); }

static int64_t packed_bytes(int32_t storage, int64_t out, int64_t in) {
  switch (storage) {
    case HH_F32: return panel_count(out) * HH_LANES * in * 4;
    case HH_F16:
    case HH_BF16: return panel_count(out) * HH_LANES * in * 2;
    default: return panel_count(out) * hh_panel_bytes(storage, in);
  }
}

size_t hh_packed_bytes(int32_t storage, int64_t out, int64_t in) {
  const int64_t bytes = packed_bytes(storage, out, in);
  return (uint64_t)bytes > SIZE_MAX ? SIZE_MAX : (size_t)bytes;
}

/* One row of a plain matrix becomes one lane of its panel. */
#define PACK_PLAIN(name, type)                                                       \
  static void name(type *panel, const type *row, int64_t lane, int64_t in) {         \
    for (int64_t k = 0; k < in; k++) panel[k * HH_LANES + lane] = row[k];            \
  }                                                                                  \
  /* The same for all 16 lanes, which writes whole cache lines. */                   \
  static void name##_panel(type *panel, const type *rows, int64_t in) {              \
    for (int64_t k = 0; k < in; k++)                                                 \
      for (int64_t lane = 0; lane < HH_LANES; lane++) panel[k * HH_LANES + lane] = rows[lane * in + k]; \
  }
PACK_PLAIN(pack_words, uint32_t)
PACK_PLAIN(pack_halves, uint16_t)

/* The scale of a group of a row, and a block's multiple of it: round(block's scale / group's scale). `stride` is a
 * block's bytes, which begin with its scale as half. */
static float group_scale(const uint8_t *blocks, int64_t stride, int64_t count, int32_t storage) {
  float largest = 0;
  for (int64_t b = 0; b < count; b++) {
    const float scale = block_scale(blocks + b * stride), magnitude = scale < 0 ? -scale : scale;
    if (!(magnitude <= largest)) largest = magnitude; /* not-a-number stays */
  }
  return largest / (float)hh_largest_multiplier(storage);
}

static int block_multiplier(float block, float group) {
  const float multiple = group == 0 ? 0 : block / group;
  if (!(multiple > -4096 && multiple < 4096)) return 0; /* infinite or not a number: the group's scale says so */
  return (int)(multiple + (multiple < 0 ? -0.5f : 0.5f));
}

/* The values of one row as one lane, each 8-bit weight w of a block as 128 + w; -w where the block's scale is negative,
 * since multipliers of Q8_0 have no sign. GGUF: { half scale; int8 value[32] }. */
static void pack_q8_0(uint8_t *panel, const uint8_t *row, int64_t lane, int64_t in) {
  const int64_t groups = hh_group_count(in);
  uint8_t *multipliers = panel + groups * HH_LANES * 4, *values = panel + hh_scale_bytes(HH_Q8_0, in);
  for (int64_t g = 0, b = 0; g < groups; g++) {
    const int64_t end = hh_group_start(in, g + 1);
    const float scale = group_scale(row + b * 34, 34, end - b, HH_Q8_0);
    ((float *)panel)[g * HH_LANES + lane] = scale;
    for (; b < end; b++) {
      const uint8_t *from = row + b * 34;
      uint8_t *to = values + b * 32 * HH_LANES;
      const int multiplier = block_multiplier(block_scale(from), scale);
      multipliers[b * HH_LANES + lane] = (uint8_t)(multiplier < 0 ? -multiplier : multiplier);
      for (int i = 0; i < 32; i += 4) {
        uint32_t word;
        memcpy(&word, from + 2 + i, 4);
        word ^= 0x80808080u;
        if (multiplier < 0) word = negated_bytes(word);
        memcpy(to + (i / 4 * HH_LANES + lane) * 4, &word, 4);
      }
    }
  }
}

/* GGUF: { half scale; uint8 pair[16] }, element i in the low nibble of pair[i], element i + 16 in the high one. */
static void pack_q4_0(uint8_t *panel, const uint8_t *row, int64_t lane, int64_t in) {
  const int64_t groups = hh_group_count(in);
  int16_t *multipliers = (int16_t *)(panel + groups * HH_LANES * 4);
  uint8_t *pairs = panel + hh_scale_bytes(HH_Q4_0, in);
  for (int64_t g = 0, b = 0; g < groups; g++) {
    const int64_t end = hh_group_start(in, g + 1);
    const float scale = group_scale(row + b * 18, 18, end - b, HH_Q4_0);
    ((float *)panel)[g * HH_LANES + lane] = scale;
    for (; b < end; b++) {
      const uint8_t *from = row + b * 18;
      multipliers[b * HH_LANES + lane] = (int16_t)block_multiplier(block_scale(from), scale);
      for (int i = 0; i < 16; i += 4)
        memcpy(pairs + b * 16 * HH_LANES + (i / 4 * HH_LANES + lane) * 4, from + 2 + i, 4);
    }
  }
}

static int64_t pack_row(void *matrix, const uint8_t *rows, int32_t storage, int64_t in, int64_t row, int64_t left) {
  const int64_t panel = row / HH_LANES, lane = row % HH_LANES, at = panel * in * HH_LANES;
  const int whole = lane == 0 && left >= HH_LANES;
  switch (storage) {
    case HH_F32:
      if (whole) pack_words_panel((uint32_t *)matrix + at, (const uint32_t *)rows, in);
      else pack_words((uint32_t *)matrix + at, (const uint32_t *)rows, lane, in);
      return whole ? HH_LANES : 1;
    case HH_F16:
    case HH_BF16:
      if (whole) pack_halves_panel((uint16_t *)matrix + at, (const uint16_t *)rows, in);
      else pack_halves((uint16_t *)matrix + at, (const uint16_t *)rows, lane, in);
      return whole ? HH_LANES : 1;
    case HH_Q8_0: pack_q8_0((uint8_t *)matrix + panel * hh_panel_bytes(storage, in), rows, lane, in); return 1;
    default: pack_q4_0((uint8_t *)matrix + panel * hh_panel_bytes(storage, in), rows, lane, in); return 1;
  }
}

static int64_t stored_row_bytes(int32_t storage, int64_t in) {
  switch (storage) {
    case HH_F32: return in * 4;
    case HH_F16:
    case HH_BF16: return in * 2;
    case HH_Q8_0: return in / HH_BLOCK * 34;
    default: return in / HH_BLOCK * 18;
  }
}

void hh_pack_rows(void *matrix, const void *rows, int32_t storage, int64_t out, int64_t in, int64_t first,
                  int64_t count) {
  const int64_t row_bytes = stored_row_bytes(storage, in);
  const int64_t end = first + count < out ? first + count : out;
  for (int64_t row = first; row < end;)
    row += pack_row(matrix, (const uint8_t *)rows + (row - first) * row_bytes, storage, in, row, end - row);
}
