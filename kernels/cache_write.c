/* Writes the keys or values of this run's rows into their slots of a KV cache, each head's vector by itself.
 *
 * Arguments: 0 cache, 1 x (rows, heads * headDim), 2 slots (rows; a negative one is not written), 3 heads, 4 headDim,
 * 5 keys (else values), 6 codec (cache_codecs.h). slot = 16 * block + offset. No two rows share a byte. */

#include "cache_codecs.h"

static void cache_write(const hh_call *call) {
  const hh_word *a = call->arguments;
  uint8_t *cache = address(a[0]);
  const float *x = address(a[1]);
  const int32_t *slots = address(a[2]);
  const int64_t heads = a[3], head_dim = a[4], keys = a[5], codec = a[6], bytes = cache_part_bytes(codec, head_dim);
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t row = share_start(call->rows, call->share.index, call->share.count); row < end; row++) {
    if (slots[row] < 0) continue;
    uint8_t *block = cache + slots[row] / HH_LANES * heads * bytes;
    for (int64_t head = 0; head < heads; head++) {
      const cache_place place = cache_place_of(block + head * bytes, head_dim, slots[row] % HH_LANES, keys);
      encode_vector(codec, place, x + (row * heads + head) * head_dim);
    }
  }
}
