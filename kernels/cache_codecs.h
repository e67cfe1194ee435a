/* How keys and values lie in the blocks of a KV cache. What each codec means: src/graph/operations/cache-codecs.ts, whose
 * definitions these follow to the bit; its list of codecs is in the same order as the numbers below.
 *
 * A block lies (heads, part). A part has what the codec keeps about each of its 16 positions, then the elements: of keys
 * (headDim, 16), of values (16, headDim). */
#ifndef HH_CACHE_CODECS_H
#define HH_CACHE_CODECS_H

#include "block_rows.h"
#include "half.h"

enum { HH_CACHE_F32, HH_CACHE_F16, HH_CACHE_BF16, HH_CACHE_INT8, HH_CACHE_INT4 };

/* Elements that share a scale and a minimum in INT4. */
#define HH_CACHE_GROUP 32

/* Bytes of pairs at one position before group `group`; of all groups, for the one after the last. */
HH_INLINE int64_t pairs_before(int64_t head_dim, int64_t group) {
  const int64_t full = head_dim / HH_CACHE_GROUP, rest = head_dim % HH_CACHE_GROUP;
  return group <= full ? group * (HH_CACHE_GROUP / 2) : full * (HH_CACHE_GROUP / 2) + (rest + 1) / 2;
}

HH_INLINE int64_t cache_groups(int64_t head_dim) { return (head_dim + HH_CACHE_GROUP - 1) / HH_CACHE_GROUP; }

/* Bytes of one head's part of a block. */
static int64_t cache_part_bytes(int64_t codec, int64_t head_dim) {
  const int64_t elements = HH_LANES * head_dim;
  if (codec == HH_CACHE_F32) return 4 * elements;
  if (codec == HH_CACHE_INT8) return 2 * HH_LANES + elements;
  if (codec != HH_CACHE_INT4) return 2 * elements;
  const int64_t groups = cache_groups(head_dim);
  return 4 * HH_LANES * groups + HH_LANES * pairs_before(head_dim, groups);
}

/* Where a head's vector at one position goes. */
typedef struct {
  uint8_t *part;
  int64_t head_dim, offset;
  /* Elements of a position lie `step` apart, from `first` on; so do pairs of INT4. */
  int64_t first, step;
} cache_place;

HH_INLINE cache_place cache_place_of(uint8_t *part, int64_t head_dim, int64_t offset, int64_t keys) {
  return (cache_place){part, head_dim, offset, keys ? offset : offset * head_dim, keys ? HH_LANES : 1};
}

/* A finite half's bits: scales and minima. */
HH_INLINE uint16_t scale_of(float x) {
  return half_of(x < -65504.0f ? -65504.0f : x > 65504.0f ? 65504.0f : x);
}

/* The nearest whole numbers, ties to even, of numbers far below 2^22, in the low bits. */
HH_INLINE i32x16 nearest_whole(f32x16 x) { return bits_of(add16(x, splat16(12582912.0f))); }

/* ------------------------------------------------------------------ writing */

HH_INLINE void store_half(uint8_t *to, int64_t index, uint16_t half) { memcpy(to + 2 * index, &half, 2); }

static void encode_floats(cache_place p, const float *x) {
  if (p.step == 1) {
    memcpy(p.part + 4 * p.first, x, (size_t)p.head_dim * 4);
    return;
  }
  for (int64_t i = 0; i < p.head_dim; i++) memcpy(p.part + 4 * (p.first + i * p.step), x + i, 4);
}

HH_INLINE void encode_shorts(cache_place p, const float *x, const int bfloat) {
  for (int64_t i = 0; i < p.head_dim; i += HH_LANES) {
    uint16_t shorts[HH_LANES];
    const f32x16 some = load_some(x + i, p.head_dim - i);
    store_shorts(shorts, bfloat ? bfloats_of(some) : halves_of(some));
    for (int64_t j = 0; j < earlier(HH_LANES, p.head_dim - i); j++)
      store_half(p.part, p.first + (i + j) * p.step, shorts[j]);
  }
}

static void encode_int8(cache_place p, const float *x) {
  f32x16 largest = splat16(0.0f);
  for (int64_t i = 0; i < p.head_dim; i += HH_LANES) largest = max16(largest, abs16(load_some(x + i, p.head_dim - i)));
  const uint16_t scale = scale_of(largest_of(largest) / 127.0f);
  store_half(p.part, p.offset, scale);
  const f32x16 divisor = splat16(scale == 0 ? 1.0f : float_of_half(scale)), most = splat16(127.0f);
  uint8_t *elements = p.part + 2 * HH_LANES + p.first;
  for (int64_t i = 0; i < p.head_dim; i += HH_LANES) {
    int32_t whole[HH_LANES];
    const f32x16 steps = div16(load_some(x + i, p.head_dim - i), divisor);
    const i32x16 rounded = nearest_whole(min16(max16(steps, splat16(-127.0f)), most));
    memcpy(whole, &rounded, sizeof whole);
    for (int64_t j = 0; j < earlier(HH_LANES, p.head_dim - i); j++) elements[(i + j) * p.step] = (uint8_t)whole[j];
  }
}

/* One group of `size` elements; its pairs go to `pairs`, `step` apart. */
static void encode_group(uint8_t *scales, int64_t offset, uint8_t *pairs, int64_t step, const float *x, int64_t size) {
  const int64_t half = (size + 1) / 2;
  float low[HH_LANES], high[HH_LANES];
  for (int64_t j = 0; j < HH_LANES; j++) {
    low[j] = x[j < half ? j : 0];
    high[j] = x[j < size - half ? half + j : 0];
  }
  const f32x16 a = load16(low), b = load16(high), none = splat16(0.0f), most = splat16(15.0f);
  /* Plus 0: which of two zeros is the smaller one is not said. */
  const float least = -largest_of(max16(sub16(none, a), sub16(none, b))) + 0.0f, largest = largest_of(max16(a, b));
  const uint16_t minimum = scale_of(least);
  const float from = float_of_half(minimum);
  const uint16_t scale = scale_of(largest > from ? (largest - from) / 15.0f : 0.0f);
  store_half(scales, offset, scale);
  store_half(scales, HH_LANES + offset, minimum);
  const f32x16 divisor = splat16(scale == 0 ? 1.0f : float_of_half(scale)), start = splat16(from);
  const i32x16 lower = nearest_whole(min16(max16(div16(sub16(a, start), divisor), none), most));
  const i32x16 upper = nearest_whole(min16(max16(div16(sub16(b, start), divisor), none), most));
  const i32x16 joined = or_int(and_int(lower, splat_int(15)), shift_left(and_int(upper, splat_int(15)), 4));
  int32_t bytes[HH_LANES];
  memcpy(bytes, &joined, sizeof bytes);
  for (int64_t j = 0; j < half; j++) pairs[j * step] = (uint8_t)(j < size - half ? bytes[j] : bytes[j] & 15);
}

static void encode_int4(cache_place p, const float *x) {
  const int64_t groups = cache_groups(p.head_dim), each = pairs_before(p.head_dim, groups);
  uint8_t *pairs = p.part + 4 * HH_LANES * groups + (p.step == 1 ? p.offset * each : p.offset);
  for (int64_t group = 0; group < groups; group++) {
    const int64_t first = group * HH_CACHE_GROUP;
    encode_group(p.part + 4 * HH_LANES * group, p.offset, pairs + pairs_before(p.head_dim, group) * p.step, p.step,
                 x + first, earlier(HH_CACHE_GROUP, p.head_dim - first));
  }
}

static void encode_vector(int64_t codec, cache_place p, const float *x) {
  switch (codec) {
    case HH_CACHE_F32: encode_floats(p, x); break;
    case HH_CACHE_F16: encode_shorts(p, x, 0); break;
    case HH_CACHE_BF16: encode_shorts(p, x, 1); break;
    case HH_CACHE_INT8: encode_int8(p, x); break;
    default: encode_int4(p, x);
  }
}

/* ------------------------------------------------------------------ reading */

/* Each stores whole vectors: `to` has 16 floats more than the part has elements. */

HH_INLINE void decode_shorts(float *to, const uint8_t *part, int64_t head_dim, const int bfloat) {
  const uint16_t *from = (const uint16_t *)part;
  for (int64_t i = 0; i < HH_LANES * head_dim; i += HH_LANES)
    store16(to + i, bfloat ? load_bfloats(from + i) : load_halves(from + i));
}

static void decode_int8_keys(float *to, const uint8_t *part, int64_t head_dim) {
  const f32x16 scale = load_halves((const uint16_t *)part);
  part += 2 * HH_LANES;
  for (int64_t i = 0; i < HH_LANES * head_dim; i += HH_LANES)
    store16(to + i, mul16(float_of_int(widen_signed_bytes((const int8_t *)part + i)), scale));
}

static void decode_int8_values(float *to, const uint8_t *part, int64_t head_dim) {
  float scales[HH_LANES];
  store16(scales, load_halves((const uint16_t *)part));
  part += 2 * HH_LANES;
  for (int64_t position = 0; position < HH_LANES; position++, part += head_dim, to += head_dim) {
    const f32x16 scale = splat16(scales[position]);
    for (int64_t i = 0; i < head_dim; i += HH_LANES)
      store16(to + i, mul16(float_of_int(widen_signed_bytes((const int8_t *)part + i)), scale));
  }
}

/* n * d is exact, so nothing depends on whether the sum is fused with it. */
HH_INLINE f32x16 affine(i32x16 n, f32x16 scale, f32x16 least) {
  return add16(mul16(float_of_int(n), scale), least);
}

static void decode_int4_keys(float *to, const uint8_t *part, int64_t head_dim) {
  const int64_t groups = cache_groups(head_dim);
  const uint8_t *pairs = part + 4 * HH_LANES * groups;
  for (int64_t group = 0; group < groups; group++, part += 4 * HH_LANES) {
    const f32x16 scale = load_halves((const uint16_t *)part), least = load_halves((const uint16_t *)part + HH_LANES);
    const int64_t first = group * HH_CACHE_GROUP, size = earlier(HH_CACHE_GROUP, head_dim - first);
    const int64_t half = (size + 1) / 2;
    for (int64_t j = 0; j < half; j++, pairs += HH_LANES) {
      const i32x16 both = widen_bytes(pairs);
      store16(to + (first + j) * HH_LANES, affine(and_int(both, splat_int(15)), scale, least));
      if (j + half < size) store16(to + (first + half + j) * HH_LANES, affine(shift_right(both, 4), scale, least));
    }
  }
}

static void decode_int4_values(float *to, const uint8_t *part, int64_t head_dim) {
  const int64_t groups = cache_groups(head_dim), each = pairs_before(head_dim, groups);
  const uint16_t *scales = (const uint16_t *)part;
  part += 4 * HH_LANES * groups;
  for (int64_t position = 0; position < HH_LANES; position++, part += each, to += head_dim)
    for (int64_t group = 0; group < groups; group++) {
      const int64_t first = group * HH_CACHE_GROUP, size = earlier(HH_CACHE_GROUP, head_dim - first);
      const uint16_t *of_group = scales + 2 * HH_LANES * group + position;
      const f32x16 scale = splat16(float_of_half(of_group[0])), least = splat16(float_of_half(of_group[HH_LANES]));
      const i32x16 both = widen_bytes(part + pairs_before(head_dim, group));
      /* The second overwrites what of the first is none of the group's. */
      store16(to + first, affine(and_int(both, splat_int(15)), scale, least));
      if (size > 1) store16(to + first + (size + 1) / 2, affine(shift_right(both, 4), scale, least));
    }
}

/* A head's part of a block as floats: keys (headDim, 16), values (16, headDim). */
static void decode_part(float *to, const uint8_t *part, int64_t codec, int64_t head_dim, int64_t keys) {
  switch (codec) {
    case HH_CACHE_F16: decode_shorts(to, part, head_dim, 0); break;
    case HH_CACHE_BF16: decode_shorts(to, part, head_dim, 1); break;
    case HH_CACHE_INT8: (keys ? decode_int8_keys : decode_int8_values)(to, part, head_dim); break;
    default: (keys ? decode_int4_keys : decode_int4_values)(to, part, head_dim);
  }
}

#endif
