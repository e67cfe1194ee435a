/* One number from sixteen lanes: their sum, the largest. Both follow one fixed tree, whatever the processor has. */
#ifndef HH_ACROSS_LANES_H
#define HH_ACROSS_LANES_H

#include "lanes.h"

/* Four lanes from sixteen: fold(lane i, lane i + 8), then fold of those with i + 4. */
#if HH_WIDTH == 16
#define HH_QUARTER(name, fold256, fold128)                                      \
  HH_INLINE void name(float *to, f32x16 a) {                                             \
    const __m512 whole = (__m512)a.part[0];                                              \
    const __m256 half = fold256(_mm512_castps512_ps256(whole), _mm512_extractf32x8_ps(whole, 1)); \
    _mm_storeu_ps(to, fold128(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));     \
  }
HH_QUARTER(quarter_sums, _mm256_add_ps, _mm_add_ps)
HH_QUARTER(quarter_largest, _mm256_max_ps, _mm_max_ps)
#undef HH_QUARTER
#elif defined(HH_WASM_LANES)
/* Engines make a branch of each choice between two floats, so these stay in registers. */
#define HH_LARGER(a, b) wasm_f32x4_pmax((v128_t)(a), (v128_t)(b)) /* a < b ? b : a */
HH_INLINE void quarter_sums(float *to, f32x16 a) {
  const f32_part sums = (a.part[0] + a.part[2]) + (a.part[1] + a.part[3]);
  memcpy(to, &sums, sizeof sums);
}
HH_INLINE void quarter_largest(float *to, f32x16 a) {
  wasm_v128_store(to, HH_LARGER(HH_LARGER(a.part[0], a.part[2]), HH_LARGER(a.part[1], a.part[3])));
}
#else
#define HH_QUARTER(name, fold)                              \
  HH_INLINE void name(float *to, f32x16 a) {                \
    float lanes[HH_LANES];                                  \
    store16(lanes, a);                                      \
    for (int i = 0; i < 8; i++) lanes[i] = fold(lanes[i], lanes[i + 8]); \
    for (int i = 0; i < 4; i++) to[i] = fold(lanes[i], lanes[i + 4]);    \
  }
#define HH_ADD_ONE(a, b) ((a) + (b))
#define HH_MAX_ONE(a, b) ((a) < (b) ? (b) : (a))
HH_QUARTER(quarter_sums, HH_ADD_ONE)
HH_QUARTER(quarter_largest, HH_MAX_ONE)
#undef HH_QUARTER
#undef HH_ADD_ONE
#undef HH_MAX_ONE
#endif

/* Sum by a tree: lane i and i + 8, then i + 4, i + 2, i + 1. */
HH_INLINE float sum_of(f32x16 a) {
  float lanes[4];
  quarter_sums(lanes, a);
  return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
}

HH_INLINE float largest_of(f32x16 a) {
  float lanes[4];
  quarter_largest(lanes, a);
#if defined(HH_WASM_LANES)
  const v128_t four = wasm_v128_load(lanes), two = HH_LARGER(four, wasm_i32x4_shuffle(four, four, 2, 3, 2, 3));
  return wasm_f32x4_extract_lane(HH_LARGER(two, wasm_i32x4_shuffle(two, two, 1, 1, 1, 1)), 0);
#else
  const float x = lanes[0] < lanes[2] ? lanes[2] : lanes[0], y = lanes[1] < lanes[3] ? lanes[3] : lanes[1];
  return x < y ? y : x;
#endif
}

#endif
