/* One element of a packed quantized matrix, as a float. */
static float quantized_element(const void *matrix, int64_t storage, int64_t in, int64_t row, int64_t k) {
  const uint8_t *panel = (const uint8_t *)matrix + row / HH_LANES * hh_panel_bytes(storage, in);
  const int64_t lane = row % HH_LANES, block = k / HH_BLOCK, i = k % HH_BLOCK, groups = hh_group_count(in);
  int64_t group = block * groups / (in / HH_BLOCK);
  if (group + 1 < groups && hh_group_start(in, group + 1) <= block) group++;
  const float scale = ((const float *)panel)[group * HH_LANES + lane];
  const uint8_t *multipliers = panel + groups * HH_LANES * 4;
  const uint8_t *values = panel + hh_scale_bytes(storage, in) + block * hh_block_bytes(storage);
  const int64_t at = block * HH_LANES + lane;
  if (storage == HH_Q8_0) return (float)((values[(i / 4 * HH_LANES + lane) * 4 + i % 4] - 128) * multipliers[at]) * scale;
  const uint8_t pair = values[(i % 16 / 4 * HH_LANES + lane) * 4 + i % 4];
  return (float)(((i < 16 ? pair & 15 : pair >> 4) - 8) * ((const int16_t *)multipliers)[at]) * scale;
}
