/* Sixteen lanes: the vocabulary that every kernel is written in, mapped to what the processor has.
 *
 * A f32x16 is one register of AVX-512, two of AVX2, four of NEON or SIMD128; for the instruction set called scalar it
 * is four of the compiler's own vectors, with the C library's fused multiply-add, and no intrinsic at all. All
 * functions act on each lane alone, so results do not depend on the mapping; the one exception is SIMD128, which has
 * no fused multiply-add and rounds the product too. What sums up lanes is in across_lanes.h. */
#ifndef HH_LANES_H
#define HH_LANES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hitherto.h"

#define HH_INLINE static inline __attribute__((always_inline, unused))

#if defined(HH_ISA_SCALAR)
#define HH_WIDTH 4
#elif defined(__AVX512F__)
#include <immintrin.h>
#define HH_WIDTH 16
#elif defined(__AVX2__)
#include <immintrin.h>
#define HH_WIDTH 8
#else
#define HH_WIDTH 4
#if defined(__ARM_NEON)
#include <arm_neon.h>
#define HH_NEON_LANES
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#define HH_WASM_LANES
#endif
#endif

/* Registers that hold sixteen lanes. */
#define HH_PARTS (HH_LANES / HH_WIDTH)

typedef float f32_part __attribute__((vector_size(4 * HH_WIDTH)));
typedef int32_t i32_part __attribute__((vector_size(4 * HH_WIDTH)));
typedef uint32_t u32_part __attribute__((vector_size(4 * HH_WIDTH)));

typedef struct {
  f32_part part[HH_PARTS];
} f32x16;
typedef struct {
  i32_part part[HH_PARTS];
} i32x16;

#if defined(__clang__)
#define HH_UNROLL _Pragma("clang loop unroll(full)")
#else
#define HH_UNROLL _Pragma("GCC unroll 16")
#endif
#define HH_EACH_PART(i) HH_UNROLL for (int i = 0; i < HH_PARTS; i++)

/* Which lanes a function is to compute: all, or the lower (0) or upper (1) eight. What goes into lanes that are not
 * stored is left out by the compiler, so that registers of four lanes hold more rows. */
#define HH_WHOLE (-1)

/* Computes `a`, or the half of it that is wanted, here: before anything that is loaded further on. Compilers to
 * WebAssembly gather the whole chain of each sum in one place and all loads before it, as if registers were free; what
 * then compiles the module has sixteen, and puts most of what was loaded back into memory. */
#if defined(__wasm__)
#define HH_SETTLE(a, half)                                                                           \
  HH_UNROLL for (int part_ = (half) == 1 ? HH_PARTS / 2 : 0; part_ < ((half) == 0 ? HH_PARTS / 2 : HH_PARTS); part_++) \
      __asm__ volatile("" : "+r"((a).part[part_])::"memory")
#else
#define HH_SETTLE(a, half) (void)(half)
#endif

/* ------------------------------------------------------------------ one float */

/* a * b + c as one lane of fma16 computes it. */
HH_INLINE float fma1(float a, float b, float c) {
#if defined(__wasm__)
  return a * b + c;
#else
  return __builtin_fmaf(a, b, c);
#endif
}

HH_INLINE float float_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

/* A float argument of an instruction. */
HH_INLINE float float_argument(hh_word word) { return float_of_bits((uint32_t)word); }

HH_INLINE void *address(hh_word word) { return (void *)(intptr_t)word; }

HH_INLINE int64_t later(int64_t a, int64_t b) { return a > b ? a : b; }
HH_INLINE int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

/* The first item of a part when `total` items are divided into `count` shares. */
HH_INLINE int64_t share_start(int64_t total, int32_t index, int32_t count) { return total * index / count; }

/* ------------------------------------------------------------------ moving */

HH_INLINE f32x16 load16(const float *from) {
  f32x16 r;
  HH_EACH_PART(i) memcpy(&r.part[i], from + i * HH_WIDTH, sizeof(f32_part));
  return r;
}

HH_INLINE void store16(float *to, f32x16 a) { HH_EACH_PART(i) memcpy(to + i * HH_WIDTH, &a.part[i], sizeof(f32_part)); }

HH_INLINE f32x16 splat16(float x) {
  f32x16 r;
#if HH_WIDTH == 16
  r.part[0] = (f32_part)_mm512_set1_ps(x);
#elif HH_WIDTH == 8
  HH_EACH_PART(i) r.part[i] = (f32_part)_mm256_set1_ps(x);
#else
  HH_EACH_PART(i) r.part[i] = (f32_part){x, x, x, x};
#endif
  return r;
}

#if HH_WIDTH < 16
/* Out of line: seldom needed, and large once a compiler has unrolled it. */
static __attribute__((noinline, cold, unused)) void copy_some(float *to, const float *from, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] = from[i];
}
#endif

/* The first `count` floats, 0 <= count; the other lanes are zero. */
HH_INLINE f32x16 load_some(const float *from, int64_t count) {
  if (__builtin_expect(count >= HH_LANES, 1)) return load16(from);
#if HH_WIDTH == 16
  f32x16 r;
  r.part[0] = (f32_part)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
  return r;
#else
  float lanes[HH_LANES];
  store16(lanes, splat16(0.0f));
  copy_some(lanes, from, count);
  return load16(lanes);
#endif
}

/* The same of memory that is read from front to back: asks for what comes 2 KiB later. Where there is much to compute for
 * each line, processors fetch ahead too little on their own, and GELU of what no cache holds takes three times as long. */
HH_INLINE f32x16 load_next(const float *from, int64_t count) {
  __builtin_prefetch(from + 512);
  return load_some(from, count);
}

/* Stores the first `count` lanes, 0 <= count. */
HH_INLINE void store_some(float *to, f32x16 a, int64_t count) {
  if (__builtin_expect(count >= HH_LANES, 1)) {
    store16(to, a);
    return;
  }
#if HH_WIDTH == 16
  _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)a.part[0]);
#else
  float lanes[HH_LANES];
  store16(lanes, a);
  copy_some(to, lanes, count);
#endif
}

/* ------------------------------------------------------------------ arithmetic */

#define HH_PART_FUNCTION(type, name, expression)  \
  HH_INLINE type name(type a, type b) {           \
    HH_EACH_PART(i) a.part[i] = (expression);     \
    return a;                                     \
  }
HH_PART_FUNCTION(f32x16, add16, a.part[i] + b.part[i])
HH_PART_FUNCTION(f32x16, sub16, a.part[i] - b.part[i])
HH_PART_FUNCTION(f32x16, mul16, a.part[i] * b.part[i])
HH_PART_FUNCTION(f32x16, div16, a.part[i] / b.part[i])

#if HH_WIDTH == 4 && !defined(HH_NEON_LANES) && !defined(HH_WASM_LANES)
/* Out of line: sixteen calls of the C library. */
static __attribute__((noinline, unused)) void fma_lanes(const void *a, const void *b, void *c) {
  float x[HH_LANES], y[HH_LANES], z[HH_LANES];
  memcpy(x, a, sizeof x);
  memcpy(y, b, sizeof y);
  memcpy(z, c, sizeof z);
  for (int i = 0; i < HH_LANES; i++) z[i] = fma1(x[i], y[i], z[i]);
  memcpy(c, z, sizeof z);
}
#endif

/* a * b + c, rounded once. */
HH_INLINE f32x16 fma16(f32x16 a, f32x16 b, f32x16 c) {
#if HH_WIDTH == 16
  c.part[0] = (f32_part)_mm512_fmadd_ps((__m512)a.part[0], (__m512)b.part[0], (__m512)c.part[0]);
#elif HH_WIDTH == 8
  HH_EACH_PART(i) c.part[i] = (f32_part)_mm256_fmadd_ps((__m256)a.part[i], (__m256)b.part[i], (__m256)c.part[i]);
#elif defined(HH_NEON_LANES)
  HH_EACH_PART(i)
  c.part[i] = (f32_part)vfmaq_f32((float32x4_t)c.part[i], (float32x4_t)a.part[i], (float32x4_t)b.part[i]);
#elif defined(HH_WASM_LANES) && defined(__wasm_relaxed_simd__)
  HH_EACH_PART(i)
  c.part[i] = (f32_part)wasm_f32x4_relaxed_madd((v128_t)a.part[i], (v128_t)b.part[i], (v128_t)c.part[i]);
#elif defined(HH_WASM_LANES)
  HH_EACH_PART(i) c.part[i] = a.part[i] * b.part[i] + c.part[i];
#else
  fma_lanes(&a, &b, &c);
#endif
  return c;
}

/* Register by register throughout: a structure copied whole goes through memory. */
HH_INLINE i32x16 bits_of(f32x16 a) {
  i32x16 r;
  HH_EACH_PART(i) r.part[i] = (i32_part)a.part[i];
  return r;
}

HH_INLINE f32x16 of_bits(i32x16 a) {
  f32x16 r;
  HH_EACH_PART(i) r.part[i] = (f32_part)a.part[i];
  return r;
}

/* Sixteen integers, or 64 bytes. */
HH_INLINE i32x16 load_ints(const void *from) {
  i32x16 r;
  HH_EACH_PART(i) memcpy(&r.part[i], (const char *)from + i * sizeof(i32_part), sizeof(i32_part));
  return r;
}

HH_INLINE i32x16 splat_int(int32_t x) {
  i32x16 r;
#if HH_WIDTH == 16
  r.part[0] = (i32_part)_mm512_set1_epi32(x);
#elif HH_WIDTH == 8
  HH_EACH_PART(i) r.part[i] = (i32_part)_mm256_set1_epi32(x);
#else
  HH_EACH_PART(i) r.part[i] = (i32_part){x, x, x, x};
#endif
  return r;
}

HH_PART_FUNCTION(i32x16, add_int, a.part[i] + b.part[i])
HH_PART_FUNCTION(i32x16, sub_int, a.part[i] - b.part[i])
HH_PART_FUNCTION(i32x16, and_int, a.part[i] & b.part[i])
HH_PART_FUNCTION(i32x16, mul_int, a.part[i] * b.part[i])
HH_PART_FUNCTION(i32x16, or_int, a.part[i] | b.part[i])
HH_PART_FUNCTION(i32x16, xor_int, a.part[i] ^ b.part[i])

/* a << n in every lane. */
HH_INLINE i32x16 shift_left(i32x16 a, int n) {
  HH_EACH_PART(i) a.part[i] = a.part[i] << n;
  return a;
}

/* a >> n in every lane, copies of the sign coming in. */
HH_INLINE i32x16 shift_right(i32x16 a, int n) {
  HH_EACH_PART(i) a.part[i] = a.part[i] >> n;
  return a;
}

/* a >> n in every lane, zeros coming in. */
HH_INLINE i32x16 shift_right_zeros(i32x16 a, int n) {
  HH_EACH_PART(i) a.part[i] = (i32_part)((u32_part)a.part[i] >> n);
  return a;
}

/* The nearest floats of integers. */
HH_INLINE f32x16 float_of_int(i32x16 a) {
  f32x16 r;
  HH_EACH_PART(i) r.part[i] = __builtin_convertvector(a.part[i], f32_part);
  return r;
}

/* Rounded towards zero; |a| < 2^31. */
HH_INLINE i32x16 int_of_float(f32x16 a) {
  i32x16 r;
#if defined(HH_WASM_LANES) && defined(__wasm_relaxed_simd__)
  HH_EACH_PART(i) r.part[i] = (i32_part)wasm_i32x4_relaxed_trunc_f32x4((v128_t)a.part[i]);
#elif defined(HH_WASM_LANES)
  HH_EACH_PART(i) r.part[i] = (i32_part)wasm_i32x4_trunc_sat_f32x4((v128_t)a.part[i]);
#else
  HH_EACH_PART(i) r.part[i] = __builtin_convertvector(a.part[i], i32_part);
#endif
  return r;
}

/* a < b ? x : y in every lane; y where a or b is not a number. */
HH_INLINE f32x16 where_less(f32x16 a, f32x16 b, f32x16 x, f32x16 y) {
#if HH_WIDTH == 16
  const __mmask16 less = _mm512_cmp_ps_mask((__m512)a.part[0], (__m512)b.part[0], _CMP_LT_OQ);
  x.part[0] = (f32_part)_mm512_mask_blend_ps(less, (__m512)y.part[0], (__m512)x.part[0]);
#elif HH_WIDTH == 8
  HH_EACH_PART(i)
  x.part[i] = (f32_part)_mm256_blendv_ps((__m256)y.part[i], (__m256)x.part[i], (__m256)(a.part[i] < b.part[i]));
#else
  HH_EACH_PART(i) {
    const i32_part less = a.part[i] < b.part[i];
    x.part[i] = (f32_part)((less & (i32_part)x.part[i]) | (~less & (i32_part)y.part[i]));
  }
#endif
  return x;
}

/* The larger of two; where b is not a number, a. */
HH_INLINE f32x16 max16(f32x16 a, f32x16 b) {
#if HH_WIDTH == 16
  a.part[0] = (f32_part)_mm512_max_ps((__m512)b.part[0], (__m512)a.part[0]);
  return a;
#elif HH_WIDTH == 8
  HH_EACH_PART(i) a.part[i] = (f32_part)_mm256_max_ps((__m256)b.part[i], (__m256)a.part[i]);
  return a;
#elif defined(HH_WASM_LANES)
  HH_EACH_PART(i) a.part[i] = (f32_part)wasm_f32x4_pmax((v128_t)a.part[i], (v128_t)b.part[i]);
  return a;
#else
  return where_less(a, b, b, a);
#endif
}
/* The smaller of two; where b is not a number, a. */
HH_INLINE f32x16 min16(f32x16 a, f32x16 b) {
#if HH_WIDTH == 16
  a.part[0] = (f32_part)_mm512_min_ps((__m512)b.part[0], (__m512)a.part[0]);
  return a;
#elif HH_WIDTH == 8
  HH_EACH_PART(i) a.part[i] = (f32_part)_mm256_min_ps((__m256)b.part[i], (__m256)a.part[i]);
  return a;
#else
  return where_less(b, a, b, a);
#endif
}
/* Rounded correctly, as everywhere. */
HH_INLINE f32x16 sqrt16(f32x16 a) {
#if HH_WIDTH == 16
  a.part[0] = (f32_part)_mm512_sqrt_ps((__m512)a.part[0]);
#elif HH_WIDTH == 8
  HH_EACH_PART(i) a.part[i] = (f32_part)_mm256_sqrt_ps((__m256)a.part[i]);
#elif defined(HH_NEON_LANES)
  HH_EACH_PART(i) a.part[i] = (f32_part)vsqrtq_f32((float32x4_t)a.part[i]);
#elif defined(HH_WASM_LANES)
  HH_EACH_PART(i) a.part[i] = (f32_part)wasm_f32x4_sqrt((v128_t)a.part[i]);
#else
  HH_EACH_PART(i) for (int lane = 0; lane < HH_WIDTH; lane++) a.part[i][lane] = __builtin_sqrtf(a.part[i][lane]);
#endif
  return a;
}
HH_INLINE f32x16 abs16(f32x16 a) { return of_bits(and_int(bits_of(a), splat_int(0x7fffffff))); }
/* The magnitude of a with the sign of b; a >= 0. */
HH_INLINE f32x16 with_sign(f32x16 a, f32x16 b) {
  return of_bits(or_int(bits_of(a), and_int(bits_of(b), splat_int(INT32_MIN))));
}

/* 0, 1, 2, ... 15, plus `first`. */
HH_INLINE f32x16 count_from(float first) {
  static const float counts[HH_LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return add16(load16(counts), splat16(first));
}

#endif
