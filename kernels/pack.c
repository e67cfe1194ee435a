/* Packing: rows of a matrix, as files hold them, into panels of 16 outputs. Layouts stand in hitherto.h.
 *
 * Two ways to the same bytes: a row at a time, which fills one lane of its panel, and 16 rows at a time, which writes
 * the panel from front to back in whole cache lines. */
#include <string.h>

#include "pack_words.h"
#include "pack_blocks.h"
#include "pack_k_quants.h"

static int64_t panel_count(int64_t out) { return (out + HH_LANES - 1) / HH_LANES; }

size_t hh_quantized_row_bytes(int64_t in) { return (size_t)hh_quantized_bytes(in); }

static int64_t panel_bytes(int32_t storage, int64_t in) {
  switch (storage) {
    case HH_F32: return HH_LANES * in * 4;
    case HH_F16:
    case HH_BF16: return HH_LANES * in * 2;
    default: return hh_panel_bytes(storage, in);
  }
}

size_t hh_packed_bytes(int32_t storage, int64_t out, int64_t in) {
  const int64_t bytes = panel_count(out) * panel_bytes(storage, in);
  return (uint64_t)bytes > SIZE_MAX ? SIZE_MAX : (size_t)bytes;
}

/* One row of a plain matrix becomes one lane of its panel; or 16 rows become all of it, from column `first` on. */
#define PACK_PLAIN(name, type)                                                                          \
  static void name(type *panel, const type *row, int64_t lane, int64_t in) {                            \
    for (int64_t k = 0; k < in; k++) panel[k * HH_LANES + lane] = row[k];                               \
  }                                                                                                     \
  static void name##_panel(type *panel, const type *rows, int64_t first, int64_t in) {                  \
    for (int64_t k = first; k < in; k++)                                                                \
      for (int64_t lane = 0; lane < HH_LANES; lane++) panel[k * HH_LANES + lane] = rows[lane * in + k]; \
  }
PACK_PLAIN(pack_words, uint32_t)
PACK_PLAIN(pack_halves, uint16_t)

static void pack_f32_panel(uint8_t *panel, const uint8_t *rows, int64_t in) {
  const int64_t whole = in / 4 * 4;
  for (int64_t k = 0; k < whole; k += 4) turn_panel(panel + k * HH_LANES * 4, rows + k * 4, in * 4, 4, 0);
  pack_words_panel((uint32_t *)panel, (const uint32_t *)rows, whole, in);
}

static void pack_row(void *panel, const uint8_t *row, int32_t storage, int64_t lane, int64_t in) {
  switch (storage) {
    case HH_F32: pack_words(panel, (const uint32_t *)row, lane, in); break;
    case HH_F16:
    case HH_BF16: pack_halves(panel, (const uint16_t *)row, lane, in); break;
    case HH_Q8_0: pack_q8_0(panel, row, lane, in); break;
    case HH_Q4_K: pack_q4_k(panel, row, lane, in); break;
    case HH_Q6_K: pack_q6_k(panel, row, lane, in); break;
    case HH_MXFP4: pack_mxfp4(panel, row, lane, in); break;
    default: pack_q4_0(panel, row, lane, in); break;
  }
}

/* 16 rows `row_bytes` apart. */
static void pack_panel(void *panel, const uint8_t *rows, int32_t storage, int64_t row_bytes, int64_t in) {
  switch (storage) {
    case HH_F32: pack_f32_panel(panel, rows, in); break;
    case HH_F16:
    case HH_BF16: pack_halves_panel(panel, (const uint16_t *)rows, 0, in); break;
    case HH_Q8_0: pack_q8_0_panel(panel, rows, in); break;
    case HH_Q4_0: pack_q4_0_panel(panel, rows, in); break;
    default:
      for (int64_t lane = 0; lane < HH_LANES; lane++) pack_row(panel, rows + lane * row_bytes, storage, lane, in);
  }
}

int64_t hh_stored_row_bytes(int32_t storage, int64_t in) {
  switch (storage) {
    case HH_F32: return in * 4;
    case HH_F16:
    case HH_BF16: return in * 2;
    case HH_Q8_0: return in / HH_BLOCK * Q8_0_BYTES;
    case HH_Q4_K: return in / 256 * Q4_K_BYTES;
    case HH_Q6_K: return in / 256 * Q6_K_BYTES;
    case HH_MXFP4: return in / HH_BLOCK * MXFP4_BYTES;
    default: return in / HH_BLOCK * Q4_0_BYTES;
  }
}

void hh_pack_rows(void *matrix, const void *rows, int32_t storage, int64_t out, int64_t in, int64_t first,
                  int64_t count) {
  const int64_t row_bytes = hh_stored_row_bytes(storage, in), each = panel_bytes(storage, in);
  const int64_t end = first + count < out ? first + count : out;
  for (int64_t row = first; row < end;) {
    uint8_t *panel = (uint8_t *)matrix + row / HH_LANES * each;
    const uint8_t *from = (const uint8_t *)rows + (row - first) * row_bytes;
    if (row % HH_LANES == 0 && end - row >= HH_LANES) {
      pack_panel(panel, from, storage, row_bytes, in);
      row += HH_LANES;
    } else {
      pack_row(panel, from, storage, row % HH_LANES, in);
      row++;
    }
  }
}
