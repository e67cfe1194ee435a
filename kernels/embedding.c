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
    case HH_ROWS_F32: return ((const float *)table)[id * width + k];
    default: return quantized_element(table, storage, width, id, k);
  }
}

static void embedding(const hh_call *call) {
  const hh_word *a = call->arguments;
  float *y = address(a[0]);
  const void *table = address(a[1]);
  const int32_t *ids = address(a[2]);
  const int64_t width = a[3], storage = a[4];
  const float factor = float_argument(a[5]);
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t row = share_start(call->rows, call->share.index, call->share.count); row < end; row++)
    for (int64_t k = 0; k < width; k++)
      y[row * width + k] = embedding_element(table, storage, width, ids[row], k) * factor;
}
