/* The right operand of a product of matrices, B (k, columns), in panels of 16 columns as the product reads it.
 *
 * Arguments: 0 panels, 1 b, 2 k, 3 whether b lies turned, (columns, k), as the weights
 * of a linear map do, 4 HH_F32 or HH_BF16. Rows of the instruction: columns.
 *   F32   panel: [k][16] float
 *   BF16  panel: [k/2][16][2] bfloat16, k filled up with zeros to a multiple of 32: what AMX multiplies by.
 * Columns are filled up with zeros to whole panels. */

#include "turn_words.h"

HH_INLINE int64_t whole_chunks(int64_t k) { return (k + 31) / 32 * 32; }

/* Two rows of 16 columns, from the bfloat16 in the upper halves of lanes: pairs. */
HH_INLINE i32x16 pair_bfloats(i32x16 even, i32x16 odd) {
  return or_int(and_int(shift_right(even, 16), splat_int(0xffff)), odd);
}

/* Sixteen rows of `count` columns, of which `rows` exist; what is missing is zero. */
HH_INLINE void load_rows(f32x16 *to, const float *from, int64_t stride, int64_t rows, int64_t count) {
  HH_UNROLL for (int i = 0; i < HH_LANES; i++) to[i] = i < rows ? load_some(from + i * stride, count) : splat16(0.0f);
}

/* The same, turned: column by column. */
HH_INLINE void load_turned(f32x16 *to, const float *from, int64_t stride, int64_t rows, int64_t count) {
  i32x16 words[HH_LANES];
  load_rows(to, from, stride, rows, count);
  HH_UNROLL for (int i = 0; i < HH_LANES; i++) words[i] = bits_of(to[i]);
  turn_words(words);
  HH_UNROLL for (int i = 0; i < HH_LANES; i++) to[i] = of_bits(words[i]);
}

/* Sixteen of k of one panel, into it: `rows` of them exist, and `count` columns. */
HH_INLINE void pack_floats(float *to, const float *b, int64_t stride, int64_t rows, int64_t count, const int turned) {
  f32x16 row[HH_LANES];
  if (turned) load_turned(row, b, stride, count, rows);
  else load_rows(row, b, stride, rows, count);
  for (int64_t i = 0; i < rows; i++) store16(to + i * HH_LANES, row[i]);
}

/* Thirty-two of k. */
HH_INLINE void pack_bfloats(uint16_t *to, const float *b, int64_t stride, int64_t rows, int64_t count, const int turned) {
  for (int half = 0; half < 2; half++, rows -= HH_LANES, b += HH_LANES * (turned ? 1 : stride)) {
    f32x16 row[HH_LANES];
    if (turned) load_turned(row, b, stride, count, rows < 0 ? 0 : rows);
    else load_rows(row, b, stride, rows, count);
    HH_UNROLL for (int i = 0; i < HH_LANES; i += 2, to += 2 * HH_LANES)
      store_ints(to, pair_bfloats(round_to_bfloat(row[i]), round_to_bfloat(row[i + 1])));
  }
}

/* Panels that are packed side by side, so that what is read of a row is not one line alone. */
#define HH_PACK_PANELS 8

/* Asks for what comes 32 of k later: sixteen columns of as many rows, or two lines of sixteen rows. */
HH_INLINE void pack_ahead(const float *from, int64_t step, int64_t aside) {
  if (aside == 1) {
    HH_UNROLL for (int i = 0; i < 32; i++) __builtin_prefetch(from + (32 + i) * step, 0, 2);
  } else {
    HH_UNROLL for (int i = 0; i < 32; i++) __builtin_prefetch(from + i / 2 * aside + 64 + i % 2 * 16, 0, 2);
  }
}

/* Some panels, `panel_bytes` each: `count` columns from b on. */
HH_INLINE void pack_panels(char *to, int64_t panel_bytes, const float *b, int64_t stride, int64_t k, int64_t count,
                           const int turned, const int halves) {
  const int64_t step = turned ? 1 : stride, aside = turned ? stride : 1;
  for (int64_t at = 0; at < k; at += halves ? 32 : HH_LANES)
    for (int64_t column = 0; column < count; column += HH_LANES) {
      const int64_t left = k - at, columns = count - column < HH_LANES ? count - column : HH_LANES;
      const float *from = b + at * step + column * aside;
      char *panel = to + column / HH_LANES * panel_bytes;
      pack_ahead(from, step, aside);
      if (halves) pack_bfloats((uint16_t *)panel + at * HH_LANES, from, stride, left, columns, turned);
      else pack_floats((float *)panel + at * HH_LANES, from, stride, left < HH_LANES ? left : HH_LANES, columns, turned);
    }
}

static void pack_columns(const hh_call *call) {
  const hh_word *a = call->arguments;
  const int64_t k = a[2], columns = call->rows, turned = a[3], halves = a[4] == HH_BF16;
  const int64_t panels = (columns + HH_LANES - 1) / HH_LANES;
  const int64_t panel_bytes = halves ? whole_chunks(k) * HH_LANES * 2 : k * HH_LANES * 4;
  const int64_t end = share_start(panels, call->share.index + 1, call->share.count);
  for (int64_t panel = share_start(panels, call->share.index, call->share.count), some; panel < end; panel += some) {
    some = turned ? 1 : earlier(HH_PACK_PANELS, end - panel);
    const int64_t first = panel * HH_LANES, count = earlier(columns - first, some * HH_LANES);
    const float *b = (const float *)address(a[1]) + (turned ? first * k : first);
    char *to = (char *)address(a[0]) + panel * panel_bytes;
    if (halves && turned) pack_panels(to, panel_bytes, b, k, k, count, 1, 1);
    else if (halves) pack_panels(to, panel_bytes, b, columns, k, count, 0, 1);
    else if (turned) pack_panels(to, panel_bytes, b, k, k, count, 1, 0);
    else pack_panels(to, panel_bytes, b, columns, k, count, 0, 0);
  }
}
