/* Products of bytes: four unsigned weights times four signed activations in each of sixteen lanes, summed exactly. */
#ifndef HH_DOT_H
#define HH_DOT_H

#include "half.h"

/* An activation as HH_QUANTIZE_ROWS stores it for this instruction set, and four of them, the same for every lane, in
 * the form that dot4 wants. Where products are of 16 bits, activations are stored so, in the order 0, 2, 1, 3. */
#if defined(__AVX512VNNI__) && HH_WIDTH == 16
typedef int8_t activation_element;
typedef struct {
  i32x16 bytes;
} dot_activations;

HH_INLINE dot_activations load_activations(const activation_element *x) {
  int32_t bytes;
  memcpy(&bytes, x, 4);
  return (dot_activations){splat_int(bytes)};
}

HH_INLINE i32x16 dot4(i32x16 sum, i32x16 weights, dot_activations x) {
  sum.part[0] = (i32_part)_mm512_dpbusd_epi32((__m512i)sum.part[0], (__m512i)weights.part[0], (__m512i)x.bytes.part[0]);
  return sum;
}

#elif defined(HH_ISA_RELAXED_DOT) || defined(HH_ISA_RELAXED_SIGNED_DOT)
/* WebAssembly leaves open how relaxed_dot takes weights beyond 7 bits: x86 without VNNI saturates sums of two products
 * to 16 bits, x86 with VNNI takes weights as unsigned and ARM as signed, both exactly. Which it is, the host finds out
 * (src/backends/cpu/wasm-host.ts) before it chooses a module; in each every sum is exact, so that the bits are those of
 * relaxed_simd. */
typedef int8_t activation_element;
typedef struct {
  v128_t bytes;
} dot_activations;

HH_INLINE dot_activations load_activations(const activation_element *x) {
  return (dot_activations){wasm_v128_load32_splat(x)};
}

HH_INLINE i32x16 dot4(i32x16 sum, i32x16 weights, dot_activations x) {
  HH_EACH_PART(i)
  sum.part[i] = (i32_part)wasm_i32x4_relaxed_dot_i8x16_i7x16_add(x.bytes, (v128_t)weights.part[i], (v128_t)sum.part[i]);
  return sum;
}

#elif HH_WIDTH > 4 || defined(HH_WASM_LANES)
#define HH_WIDE_ACTIVATIONS
typedef int16_t activation_element;
typedef uint16_t u16_part __attribute__((vector_size(4 * HH_WIDTH)));
typedef struct {
  i32_part even, odd;
} dot_activations;

HH_INLINE i32_part splat_pair(const int16_t *x) {
#if HH_WIDTH == 16
  int32_t pair;
  memcpy(&pair, x, 4);
  return (i32_part)_mm512_set1_epi32(pair);
#elif HH_WIDTH == 8
  int32_t pair;
  memcpy(&pair, x, 4);
  return (i32_part)_mm256_set1_epi32(pair);
#else
  return (i32_part)wasm_v128_load32_splat(x);
#endif
}

HH_INLINE dot_activations load_activations(const activation_element *x) {
  return (dot_activations){splat_pair(x), splat_pair(x + 2)};
}

/* Sums of two neighbouring products of 16-bit numbers. */
HH_INLINE i32_part dot_pairs(i32_part a, i32_part b) {
#if HH_WIDTH == 16
  return (i32_part)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif HH_WIDTH == 8
  return (i32_part)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#else
  return (i32_part)wasm_i32x4_dot_i16x8((v128_t)a, (v128_t)b);
#endif
}

HH_INLINE i32x16 dot4(i32x16 sum, i32x16 weights, dot_activations x) {
  const i32x16 even = and_int(weights, splat_int(0x00ff00ff));
  HH_EACH_PART(i) {
    const i32_part odd = (i32_part)((u16_part)weights.part[i] >> 8);
    sum.part[i] += dot_pairs(even.part[i], x.even) + dot_pairs(odd, x.odd);
  }
  return sum;
}

#elif defined(HH_NEON_LANES)
typedef int8_t activation_element;
typedef struct {
  int8x16_t bytes;
} dot_activations;

HH_INLINE dot_activations load_activations(const activation_element *x) {
  int32_t bytes;
  memcpy(&bytes, x, 4);
  return (dot_activations){vreinterpretq_s8_s32(vdupq_n_s32(bytes))};
}

HH_INLINE i32x16 dot4(i32x16 sum, i32x16 weights, dot_activations x) {
  HH_EACH_PART(i) {
    const uint8x16_t w = (uint8x16_t)weights.part[i];
#if defined(__ARM_FEATURE_MATMUL_INT8)
    sum.part[i] = (i32_part)vusdotq_s32((int32x4_t)sum.part[i], w, x.bytes);
#else
    const int16x8_t low = vmulq_s16(vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(w))), vmovl_s8(vget_low_s8(x.bytes)));
    const int16x8_t high = vmulq_s16(vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(w))), vmovl_s8(vget_high_s8(x.bytes)));
    sum.part[i] += (i32_part)vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high));
#endif
  }
  return sum;
}

#else
typedef int8_t activation_element;
typedef const int8_t *dot_activations;

HH_INLINE dot_activations load_activations(const activation_element *x) { return x; }

HH_INLINE i32x16 dot4(i32x16 sum, i32x16 weights, dot_activations x) {
  for (int i = 0; i < 4; i++) {
    const i32x16 byte = and_int(shift_right(weights, 8 * i), splat_int(0xff));
    HH_EACH_PART(part) sum.part[part] += byte.part[part] * x[i];
  }
  return sum;
}
#endif

/* Sixteen signed 16-bit factors in the form that add_short_product wants. Where the processor multiplies pairs of 16-bit
 * numbers, the upper number of each pair is zero. */
HH_INLINE i32x16 load_short_factors(const int16_t *from) {
#if defined(__AVX512VNNI__) || defined(HH_WIDE_ACTIVATIONS)
  return widen_shorts((const uint16_t *)from);
#else
  return widen_signed_shorts(from);
#endif
}

/* total + a * b in every lane, where a fits in 16 bits, signed. */
HH_INLINE i32x16 add_short_product(i32x16 total, i32x16 a, i32x16 b) {
#if defined(__AVX512VNNI__) && HH_WIDTH == 16
  total.part[0] = (i32_part)_mm512_dpwssd_epi32((__m512i)total.part[0], (__m512i)a.part[0], (__m512i)b.part[0]);
#elif defined(HH_WIDE_ACTIVATIONS)
  HH_EACH_PART(i) total.part[i] += dot_pairs(a.part[i], b.part[i]);
#else
  total = add_int(total, mul_int(a, b));
#endif
  return total;
}

/* 8-bit weights as dot4 wants them, from bytes that hold 128 + weight; what the sum then starts from, given -128 * the
 * sum of the activations. */
#if defined(HH_ISA_RELAXED_SIGNED_DOT)
HH_INLINE i32x16 dot_weights(i32x16 bytes) {
  HH_EACH_PART(i) bytes.part[i] ^= (i32_part)wasm_i8x16_splat(-128);
  return bytes;
}
HH_INLINE int32_t dot_start(int32_t offset) { return offset & 0; }
#else
HH_INLINE i32x16 dot_weights(i32x16 bytes) { return bytes; }
HH_INLINE int32_t dot_start(int32_t offset) { return offset; }
#endif

#endif
