/* Turns rows of activations into groups of about 256 int8 with one scale each, for the linear maps by quantized matrices.
 *
 * Arguments: 0 quantized rows (layout in hitherto.h), 1 x (rows, in), 2 in, a multiple of 32.
 * scale = largest magnitude / 127; values are x / scale, rounded half away from zero: roundToInt8Groups in
 * src/graph/operations/linear.ts. */

/* Nearest integers, halves away from zero: of x and the largest float below 1/2, the whole part. |x| < 2^22. */
HH_INLINE i32x16 round_half_away(f32x16 x) {
  return int_of_float(add16(x, with_sign(splat16(0x1.fffffep-2f), x)));
}

/* The sums of a block's 32 values, and of the first 16. */
typedef struct {
  int32_t all, first;
} activation_sums;

/* Stores 32 integers of 8 bits, one block, as dot.h wants them. */
HH_INLINE activation_sums store_activations(activation_element *to, i32x16 low, i32x16 high) {
#if HH_WIDTH == 16 && !defined(HH_WIDE_ACTIVATIONS)
  const __m256i bytes = _mm256_set_m128i(_mm512_cvtepi32_epi8((__m512i)high.part[0]),
                                         _mm512_cvtepi32_epi8((__m512i)low.part[0]));
  _mm256_storeu_si256((__m256i *)to, bytes);
  /* Sums of eight bytes, each 128 too large. */
  const __m256i eights = _mm256_sad_epu8(_mm256_xor_si256(bytes, _mm256_set1_epi8(-128)), _mm256_setzero_si256());
  const __m256i halves = _mm256_add_epi32(eights, _mm256_unpackhi_epi64(eights, eights));
  const int32_t first = _mm_cvtsi128_si32(_mm256_castsi256_si128(halves)) - HH_LANES * 128;
  return (activation_sums){first + _mm_cvtsi128_si32(_mm256_extracti128_si256(halves, 1)) - HH_LANES * 128, first};
#elif HH_WIDTH >= 8
  /* Sixteen numbers of 16 bits at a time; of each four, the middle two trade places. */
  const __m256i order = _mm256_setr_epi8(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15, 0, 1, 4, 5, 2, 3, 6, 7, 8,
                                         9, 12, 13, 10, 11, 14, 15);
  int32_t sums[2];
  for (int i = 0; i < 2; i++) {
    const i32x16 from = i == 0 ? low : high;
#if HH_WIDTH == 16
    const __m256i shorts = _mm512_cvtepi32_epi16((__m512i)from.part[0]);
#else
    const __m256i packed = _mm256_packs_epi32((__m256i)from.part[0], (__m256i)from.part[1]);
    const __m256i shorts = _mm256_permute4x64_epi64(packed, 0xd8);
#endif
    _mm256_storeu_si256((__m256i *)(to + i * HH_LANES), _mm256_shuffle_epi8(shorts, order));
    const __m256i fours = _mm256_madd_epi16(shorts, _mm256_set1_epi16(1));
    const __m128i twos = _mm_add_epi32(_mm256_castsi256_si128(fours), _mm256_extracti128_si256(fours, 1));
    const __m128i pair = _mm_add_epi32(twos, _mm_unpackhi_epi64(twos, twos));
    sums[i] = _mm_cvtsi128_si32(pair) + _mm_extract_epi32(pair, 1);
  }
  return (activation_sums){sums[0] + sums[1], sums[0]};
#elif defined(HH_WASM_LANES)
  i32_part first = {0, 0, 0, 0}, rest = {0, 0, 0, 0};
  v128_t halves[4];
  HH_EACH_PART(i) {
    first += low.part[i];
    rest += high.part[i];
  }
  for (int i = 0; i < 2; i++) {
    halves[i] = wasm_i16x8_narrow_i32x4((v128_t)low.part[2 * i], (v128_t)low.part[2 * i + 1]);
    halves[i + 2] = wasm_i16x8_narrow_i32x4((v128_t)high.part[2 * i], (v128_t)high.part[2 * i + 1]);
  }
#ifdef HH_WIDE_ACTIVATIONS
  for (int i = 0; i < 4; i++) wasm_v128_store(to + 8 * i, wasm_i16x8_shuffle(halves[i], halves[i], 0, 2, 1, 3, 4, 6, 5, 7));
#else
  for (int i = 0; i < 2; i++) wasm_v128_store(to + 16 * i, wasm_i8x16_narrow_i16x8(halves[2 * i], halves[2 * i + 1]));
#endif
  const int32_t of_first = first[0] + first[1] + first[2] + first[3];
  return (activation_sums){of_first + rest[0] + rest[1] + rest[2] + rest[3], of_first};
#else
  int32_t lanes[HH_BLOCK];
  activation_sums sums = {0, 0};
  memcpy(lanes, &low, sizeof low);
  memcpy(lanes + HH_LANES, &high, sizeof high);
  for (int i = 0; i < HH_BLOCK; i++) {
#ifdef HH_WIDE_ACTIVATIONS
    to[i] = (int16_t)lanes[i / 4 * 4 + (i % 2 * 2 + i % 4 / 2)];
#else
    to[i] = (int8_t)lanes[i];
#endif
    sums.all += lanes[i];
    if (i < HH_LANES) sums.first += lanes[i];
  }
  return sums;
#endif
}

/* The scale of a group, and its inverse in every lane. */
typedef struct {
  float scale;
  f32x16 inverse;
} group_scale;

static group_scale scale_group(const float *x, int64_t count) {
  f32x16 largest = splat16(0.0f);
  for (int64_t i = 0; i < count; i += HH_LANES) largest = max16(largest, abs16(load16(x + i)));
  const float scale = largest_of(largest) / 127.0f;
  return (group_scale){scale, splat16(scale == 0.0f ? 0.0f : 1.0f / scale)};
}

/* One block of 32. */
HH_INLINE activation_sums quantize_block(activation_element *to, const float *x, group_scale group) {
  const i32x16 low = round_half_away(mul16(load16(x), group.inverse));
  const i32x16 high = round_half_away(mul16(load16(x + HH_LANES), group.inverse));
  return store_activations(to, low, high);
}

#if defined(__AMX_INT8__)
#include "linear_amx.h"
#endif

/* One group of one of `rows` rows, to where the quantized rows lie: where and how depends on what will read them.
 * x: the first element of the group. */
static void quantize_group(uint8_t *to, const float *x, int64_t row, int64_t rows, int64_t in, int64_t group) {
  const int64_t first = hh_group_start(in, group), last = hh_group_start(in, group + 1), groups = hh_group_count(in);
  const group_scale scale = scale_group(x, (last - first) * HH_BLOCK);
#if defined(__AMX_INT8__)
  if (rows >= HH_AMX_MINIMUM_ROWS) {
    amx_row_scales(to, rows, in)[row * groups + group] = scale.scale;
    for (int64_t b = first; b < last; b++)
      quantize_block((activation_element *)amx_block(to, row, in, group, b - first), x + (b - first) * HH_BLOCK, scale);
    return;
  }
#endif
  (void)rows;
  to += row * hh_quantized_bytes(in);
  float *scales = (float *)(to + in * HH_ACTIVATION_BYTES);
  int32_t *offsets = (int32_t *)(scales + groups), *first_offsets = offsets + in / HH_BLOCK;
  scales[group] = scale.scale;
  for (int64_t b = first; b < last; b++) {
    const activation_sums sums = quantize_block((activation_element *)to + b * HH_BLOCK, x + (b - first) * HH_BLOCK, scale);
    offsets[b] = -128 * sums.all;
    first_offsets[b] = -128 * sums.first;
  }
}

static void quantize_row(uint8_t *to, const float *x, int64_t row, int64_t rows, int64_t in) {
  for (int64_t group = 0; group < hh_group_count(in); group++)
    quantize_group(to, x + hh_group_start(in, group) * HH_BLOCK, row, rows, in, group);
}

static void quantize_rows(const hh_call *call) {
  const hh_word *a = call->arguments;
  const float *x = address(a[1]);
  const int64_t in = a[2];
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t row = share_start(call->rows, call->share.index, call->share.count); row < end; row++)
    quantize_row(address(a[0]), x + row * in, row, call->rows, in);
}
