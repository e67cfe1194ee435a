/* Writes the keys or values of this run's rows into their slots of a KV cache.
 *
 * Arguments: 0 cache, 1 x (rows, heads * headDim), 2 slots (rows; a negative one is not written), 3 heads, 4 headDim,
 * 5 keys: blocks lie (heads, headDim, 16), else values: (heads, 16, headDim). slot = 16 * block + offset. */
static void cache_write(const hh_call *call) {
  const hh_word *a = call->arguments;
  float *cache = address(a[0]);
  const float *x = address(a[1]);
  const int32_t *slots = address(a[2]);
  const int64_t heads = a[3], head_dim = a[4], keys = a[5], width = heads * head_dim;
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t row = share_start(call->rows, call->share.index, call->share.count); row < end; row++) {
    if (slots[row] < 0) continue;
    const float *from = x + row * width;
    float *block = cache + (slots[row] / HH_LANES) * width * HH_LANES;
    const int64_t offset = slots[row] % HH_LANES;
    if (keys) {
      for (int64_t i = 0; i < width; i++) block[i * HH_LANES + offset] = from[i];
    } else {
      for (int64_t head = 0; head < heads; head++)
        memcpy(block + (head * HH_LANES + offset) * head_dim, from + head * head_dim, (size_t)head_dim * sizeof(float));
    }
  }
}
