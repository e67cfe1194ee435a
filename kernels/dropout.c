/* Dropout: y = x / (1 - rate) where an element is kept, 0 where not. Srivastava et al., 2014.
 *
 * Arguments: 0 y, 1 x (rows, width), 2 seed (2 integers), 3 width, 4 stream, 5 threshold (float): elements whose 24 bits
 * are less are dropped, 6 factor (float). y may be x.
 * The bits of an element are a hash of seed, stream and index: src/graph/operations/dropout-hash.ts. */
HH_INLINE uint32_t hash_one(uint32_t index, uint32_t key) {
  uint32_t x = index ^ index >> 17;
  x = x * 0xed5ad4bbu ^ key;
  x = (x ^ x >> 11) * 0xac4c1b51u;
  x = (x ^ x >> 15) * 0x31848babu;
  return x ^ x >> 14;
}

HH_INLINE i32x16 hash16(i32x16 index, uint32_t key) {
  i32x16 x = xor_int(index, shift_right_zeros(index, 17));
  x = xor_int(mul_int(x, splat_int((int32_t)0xed5ad4bbu)), splat_int((int32_t)key));
  x = mul_int(xor_int(x, shift_right_zeros(x, 11)), splat_int((int32_t)0xac4c1b51u));
  x = mul_int(xor_int(x, shift_right_zeros(x, 15)), splat_int(0x31848bab));
  return xor_int(x, shift_right_zeros(x, 14));
}

static void dropout(const hh_call *call) {
  static const int32_t counts[HH_LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const hh_word *a = call->arguments;
  float *y = address(a[0]);
  const float *x = address(a[1]);
  const uint32_t *seed = address(a[2]), low = seed[0], high = seed[1], stream = (uint32_t)a[4];
  const uint32_t first = hash_one(hash_one(hash_one(stream ^ 0x9e3779b9u, 0) ^ low, 0) ^ high, 0);
  const uint32_t second = hash_one(hash_one(hash_one(high ^ 0x85ebca6bu, 0) ^ stream, 0) ^ low, 0);
  const f32x16 threshold = splat16(float_argument(a[5])), factor = splat16(float_argument(a[6]));
  EACH_ELEMENT(elements_of(call, a[3])) {
    const i32x16 index = add_int(load_ints(counts), splat_int((int32_t)((uint32_t)i + first)));
    const f32x16 bits = float_of_int(shift_right_zeros(hash16(index, second), 8));
    const f32x16 kept = mul16(load_next(x + i, left), factor);
    store_some(y + i, where_less(bits, threshold, splat16(0.0f), kept), left);
  }
}
