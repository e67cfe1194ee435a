/* Packing: rows of a matrix, as files hold them, into panels of 16 outputs. Layouts stand in hitherto.h. */
#include <string.h>

#include "quantized.h"

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

/* GGUF: { half scale; int8 value[32] }. */
static void pack_q8_0(uint8_t *panel, const uint8_t *row, int64_t lane, int64_t in) {
  uint8_t *values = panel + hh_scale_bytes(in);
  for (int64_t g = 0; g < in / HH_BLOCK; g++, row += 34, values += 32 * HH_LANES) {
    memcpy(panel + (g * HH_LANES + lane) * 2, row, 2);
    for (int i = 0; i < 32; i++) values[(i / 4 * HH_LANES + lane) * 4 + i % 4] = row[2 + i] ^ 0x80;
  }
}

/* GGUF: { half scale; uint8 pair[16] }, element i in the low nibble of pair[i], element i + 16 in the high one. */
static void pack_q4_0(uint8_t *panel, const uint8_t *row, int64_t lane, int64_t in) {
  uint8_t *pairs = panel + hh_scale_bytes(in);
  for (int64_t g = 0; g < in / HH_BLOCK; g++, row += 18, pairs += 16 * HH_LANES) {
    memcpy(panel + (g * HH_LANES + lane) * 2, row, 2);
    for (int i = 0; i < 16; i += 4) memcpy(pairs + (i / 4 * HH_LANES + lane) * 4, row + 2 + i, 4);
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
