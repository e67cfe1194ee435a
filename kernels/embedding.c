/* Rows of a table by id, times a constant.
 *
 * Arguments: 0 y (rows, width), 1 table packed (or HH_ROWS_F32), 2 ids (rows), 3 width, 4 storage, 5 scale (float).
 * In a packed matrix a row is one lane of a panel. */
static float embedding_element(const void *table, int64_t storage, int64_t width, int64_t id, int64_t k) {
  const int64_t panel = id / HH_LANES, lane = id % HH_LANES, at = (panel * width + k) * HH_LANES + lane;
  switch (storage) {
    case HH_F32: return ((const float *)table)[at];
    case HH_F16: return float_of_half(((const uint16_t *)table)[at]);
    case HH_BF16: return float_of_bits((uint32_t)((const uint16_t *)table)[at] << 16);
    default: return quantized_element(table, storage, width, id, k);
  }
}

/* A row of 8-bit blocks: the same products as quantized_element, without looking up each element's block. */
static void embedding_q8_0(float *y, const void *table, int64_t width, int64_t id, float factor) {
  const uint8_t *panel = (const uint8_t *)table + id / HH_LANES * hh_panel_bytes(HH_Q8_0, width);
  const int64_t lane = id % HH_LANES, groups = hh_group_count(width);
  const float *scales = (const float *)panel + lane;
  const uint8_t *multipliers = panel + groups * HH_LANES * 4 + lane;
  const uint8_t *values = panel + hh_scale_bytes(HH_Q8_0, width) + lane * 4;
  for (int64_t group = 0, block = 0; group < groups; group++)
    for (const int64_t end = hh_group_start(width, group + 1); block < end; block++)
      for (int64_t i = 0; i < HH_BLOCK; i++) {
        const int value = values[block * HH_BLOCK * HH_LANES + i / 4 * HH_LANES * 4 + i % 4] - 128;
        y[block * HH_BLOCK + i] = (float)(value * multipliers[block * HH_LANES]) * scales[group * HH_LANES] * factor;
      }
}

static void embedding(const hh_call *call) {
  const hh_word *a = call->arguments;
  const void *table = address(a[1]);
  const int32_t *ids = address(a[2]);
  const int64_t width = a[3], storage = a[4];
  const float factor = float_argument(a[5]);
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t row = share_start(call->rows, call->share.index, call->share.count); row < end; row++) {
    float *y = (float *)address(a[0]) + row * width;
    if (storage == HH_ROWS_F32) {
      const float *x = (const float *)table + ids[row] * width;
      for (int64_t k = 0; k < width; k += HH_LANES)
        store_some(y + k, mul16(load_some(x + k, width - k), splat16(factor)), width - k);
    } else if (storage == HH_Q8_0) embedding_q8_0(y, table, width, ids[row], factor);
    else
      for (int64_t k = 0; k < width; k++) y[k] = embedding_element(table, storage, width, ids[row], k) * factor;
  }
}
