/* Half-precision and bfloat16 numbers as floats, exactly, sixteen at a time. */
#ifndef HH_HALF_H
#define HH_HALF_H

#include "lanes.h"

/* One half as float, exactly: normal, subnormal, infinite or not a number. */
HH_INLINE float float_of_half(uint16_t half) {
  const uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00) return float_of_bits(sign | 0x7f800000 | (magnitude & 0x3ff) << 13 | (magnitude > 0x7c00) << 22);
  /* Placed in a float's exponent field, a half is 2^112 too small; the product is exact. */
  return float_of_bits(sign | magnitude << 13) * 0x1p112f;
}

/* Sixteen unsigned 16-bit numbers. */
HH_INLINE i32x16 widen_shorts(const uint16_t *from) {
  i32x16 r;
#if HH_WIDTH == 16
  r.part[0] = (i32_part)_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)from));
#elif HH_WIDTH == 8
  HH_EACH_PART(i) r.part[i] = (i32_part)_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(from + 8 * i)));
#elif defined(__wasm_simd128__)
  HH_EACH_PART(i) r.part[i] = (i32_part)wasm_u32x4_load16x4(from + 4 * i);
#else
  int32_t lanes[HH_LANES];
  for (int i = 0; i < HH_LANES; i++) lanes[i] = from[i];
  r = load_ints(lanes);
#endif
  return r;
}

/* Sixteen unsigned 8-bit numbers. */
HH_INLINE i32x16 widen_bytes(const uint8_t *from) {
  i32x16 r;
#if HH_WIDTH == 16
  r.part[0] = (i32_part)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)from));
#elif HH_WIDTH == 8
  HH_EACH_PART(i) r.part[i] = (i32_part)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(from + 8 * i)));
#elif defined(__wasm_simd128__)
  const v128_t low = wasm_u16x8_load8x8(from), high = wasm_u16x8_load8x8(from + 8);
  r.part[0] = (i32_part)wasm_u32x4_extend_low_u16x8(low);
  r.part[1] = (i32_part)wasm_u32x4_extend_high_u16x8(low);
  r.part[2] = (i32_part)wasm_u32x4_extend_low_u16x8(high);
  r.part[3] = (i32_part)wasm_u32x4_extend_high_u16x8(high);
#else
  int32_t lanes[HH_LANES];
  for (int i = 0; i < HH_LANES; i++) lanes[i] = from[i];
  r = load_ints(lanes);
#endif
  return r;
}

/* Sixteen signed 16-bit numbers. */
HH_INLINE i32x16 widen_signed_shorts(const int16_t *from) {
  i32x16 r;
#if HH_WIDTH == 16
  r.part[0] = (i32_part)_mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)from));
#elif HH_WIDTH == 8
  HH_EACH_PART(i) r.part[i] = (i32_part)_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(from + 8 * i)));
#elif defined(__wasm_simd128__)
  HH_EACH_PART(i) r.part[i] = (i32_part)wasm_i32x4_load16x4(from + 4 * i);
#else
  int32_t lanes[HH_LANES];
  for (int i = 0; i < HH_LANES; i++) lanes[i] = from[i];
  r = load_ints(lanes);
#endif
  return r;
}

HH_INLINE f32x16 load_halves(const uint16_t *from) {
  f32x16 r;
#if HH_WIDTH == 16
  r.part[0] = (f32_part)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)from));
#elif HH_WIDTH == 8
  HH_EACH_PART(i) r.part[i] = (f32_part)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(from + 8 * i)));
#elif defined(HH_NEON_LANES)
  HH_EACH_PART(i) r.part[i] = (f32_part)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from + 4 * i)));
#else
  /* The sign stays in front, the exponent moves to where a float has it and is 112 too small: the product is exact. */
#if defined(__wasm_simd128__)
  HH_EACH_PART(i) {
    const v128_t bits = wasm_i32x4_shl(wasm_i32x4_load16x4(from + 4 * i), 13);
    r.part[i] = (f32_part)wasm_f32x4_mul(wasm_v128_and(bits, wasm_i32x4_splat((int32_t)0x8fffe000)), wasm_f32x4_splat(0x1p112f));
  }
  /* Infinite and not a number are so rare in weights that eight are tested at once. */
  const v128_t magnitude = wasm_i16x8_splat(0x7fff), largest = wasm_i16x8_splat(0x7bff);
  const v128_t first = wasm_i16x8_gt(wasm_v128_and(wasm_v128_load(from), magnitude), largest);
  const v128_t second = wasm_i16x8_gt(wasm_v128_and(wasm_v128_load(from + 8), magnitude), largest);
  if (!wasm_v128_any_true(wasm_v128_or(first, second))) return r;
#else
  const i32x16 bits = and_int(shift_right(shift_left(widen_shorts(from), 16), 3), splat_int((int32_t)0x8fffe000));
  r = mul16(of_bits(bits), splat16(0x1p112f));
#endif
  /* From 65536 on it was infinite or not a number, which the largest exponent says. */
  const f32x16 exponent = where_less(abs16(r), splat16(65536.0f), splat16(0.0f), of_bits(splat_int(0x7f800000)));
  r = of_bits(or_int(bits_of(r), bits_of(exponent)));
#endif
  return r;
}

/* Sixteen numbers of 16 bits, the lower halves of integers. */
HH_INLINE void store_shorts(uint16_t *to, i32x16 a) {
#if HH_WIDTH == 16
  _mm256_storeu_si256((__m256i *)to, _mm512_cvtepi32_epi16((__m512i)a.part[0]));
#else
  int32_t lanes[HH_LANES];
  HH_EACH_PART(i) memcpy(lanes + i * HH_WIDTH, &a.part[i], sizeof(i32_part));
  for (int i = 0; i < HH_LANES; i++) to[i] = (uint16_t)lanes[i];
#endif
}

/* The bits of the nearest halves, ties to even; too large becomes infinite, not a number stays so. */
HH_INLINE i32x16 halves_of(f32x16 x) {
  const i32x16 bits = bits_of(x), sign = and_int(shift_right_zeros(bits, 16), splat_int(0x8000));
  const f32x16 size = abs16(x);
  const i32x16 magnitude = bits_of(size), odd = and_int(shift_right(magnitude, 13), splat_int(1));
  const i32x16 normal = shift_right(add_int(add_int(magnitude, splat_int(0xfff - 0x38000000)), odd), 13);
  /* Beside a half, a float counts in steps of 2^-24, as halves do that are not normal. */
  const i32x16 small = sub_int(bits_of(add16(size, splat16(0.5f))), splat_int(0x3f000000));
  const i32x16 quiet = and_int(shift_right(sub_int(splat_int(0x7f800000), magnitude), 31), splat_int(0x200));
  const i32x16 payload = and_int(shift_right(magnitude, 13), splat_int(0x3ff));
  const f32x16 special = of_bits(or_int(splat_int(0x7c00), or_int(quiet, payload)));
  const f32x16 large = where_less(size, splat16(__builtin_inff()), of_bits(splat_int(0x7c00)), special);
  const f32x16 finite = where_less(size, splat16(0x1p-14f), of_bits(small), of_bits(normal));
  return or_int(sign, bits_of(where_less(size, splat16(65536.0f), finite, large)));
}

HH_INLINE uint16_t half_of(float x) {
  uint16_t halves[HH_LANES];
  store_shorts(halves, halves_of(splat16(x)));
  return halves[0];
}

/* The bits of the nearest bfloat16s, ties to even; not a number stays so. */
HH_INLINE i32x16 bfloats_of(f32x16 x) {
  const i32x16 bits = bits_of(x), upper = shift_right_zeros(bits, 16);
  const i32x16 odd = and_int(upper, splat_int(1));
  const i32x16 nearest = shift_right_zeros(add_int(add_int(bits, splat_int(0x7fff)), odd), 16);
  const i32x16 above = sub_int(splat_int(0x7f800000), bits_of(abs16(x)));
  const i32x16 is_none = shift_right(above, 31), quiet = or_int(upper, splat_int(0x40));
  return or_int(and_int(is_none, quiet), and_int(xor_int(is_none, splat_int(-1)), nearest));
}

HH_INLINE f32x16 load_bfloats(const uint16_t *from) {
  return of_bits(shift_left(widen_shorts(from), 16));
}

#endif
