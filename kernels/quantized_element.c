/* One element of a packed quantized matrix, as a float. */
static float quantized_element(const void *matrix, int64_t storage, int64_t in, int64_t row, int64_t k) {
  const uint8_t *panel = (const uint8_t *)matrix + row / HH_LANES * hh_panel_bytes(storage, in);
  const int64_t lane = row % HH_LANES, group = k / HH_BLOCK, i = k % HH_BLOCK;
  const uint8_t *values = panel + hh_scale_bytes(in) + group * hh_group_bytes(storage);
  const float scale = float_of_half(((const uint16_t *)panel)[group * HH_LANES + lane]);
  if (storage == HH_Q8_0) return (float)(values[(i / 4 * HH_LANES + lane) * 4 + i % 4] - 128) * scale;
  const uint8_t pair = values[(i % 16 / 4 * HH_LANES + lane) * 4 + i % 4];
  return (float)((i < 16 ? pair & 15 : pair >> 4) - 8) * scale;
}
