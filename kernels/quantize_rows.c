/* Turns rows of activations into groups of about 256 int8 with one scale each, for the linear maps by quantized matrices.
 *
 * Arguments: 0 quantized rows (layout in hitherto.h), 1 x (rows, in), 2 in, a multiple of 32.
 * scale = largest magnitude / 127; values are x / scale, rounded half away from zero: roundToInt8Groups in
 * src/graph/operations/linear.ts. */

/* Nearest integers, halves away from zero: of x and the largest float below 1/2, the whole part. |x| < 2^22. */
HH_INLINE i32x16 round_half_away(f32x16 x) {
  return int_of_float(add16(x, with_sign(splat16(0x1.fffffep-2f), x)));
}

/* Stores 32 integers of 8 bits, one block, as dot.h wants them. Returns their sum. */
HH_INLINE int32_t store_activations(activation_element *to, i32x16 low, i32x16 high) {
#if HH_WIDTH == 16 && !defined(HH_WIDE_ACTIVATIONS)
  const __m256i bytes = _mm256_set_m128i(_mm512_cvtepi32_epi8((__m512i)high.part[0]),
                                         _mm512_cvtepi32_epi8((__m512i)low.part[0]));
  _mm256_storeu_si256((__m256i *)to, bytes);
  /* Sums of eight bytes, each 128 too large. */
  const __m256i eights = _mm256_sad_epu8(_mm256_xor_si256(bytes, _mm256_set1_epi8(-128)), _mm256_setzero_si256());
  const __m128i pairs = _mm_add_epi32(_mm256_castsi256_si128(eights), _mm256_extracti128_si256(eights, 1));
  return _mm_cvtsi128_si32(pairs) + _mm_extract_epi32(pairs, 2) - HH_BLOCK * 128;
#elif HH_WIDTH >= 8
  /* Sixteen numbers of 16 bits at a time; of each four, the middle two trade places. */
  const __m256i order = _mm256_setr_epi8(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15, 0, 1, 4, 5, 2, 3, 6, 7, 8,
                                         9, 12, 13, 10, 11, 14, 15);
  __m256i sum = _mm256_setzero_si256();
  for (int i = 0; i < 2; i++) {
    const i32x16 from = i == 0 ? low : high;
#if HH_WIDTH == 16
    const __m256i shorts = _mm512_cvtepi32_epi16((__m512i)from.part[0]);
#else
    const __m256i packed = _mm256_packs_epi32((__m256i)from.part[0], (__m256i)from.part[1]);
    const __m256i shorts = _mm256_permute4x64_epi64(packed, 0xd8);
#endif
    _mm256_storeu_si256((__m256i *)(to + i * HH_LANES), _mm256_shuffle_epi8(shorts, order));
    sum = _mm256_add_epi16(sum, shorts);
  }
  const __m256i fours = _mm256_madd_epi16(sum, _mm256_set1_epi16(1));
  const __m128i twos = _mm_add_epi32(_mm256_castsi256_si128(fours), _mm256_extracti128_si256(fours, 1));
  const __m128i pair = _mm_add_epi32(twos, _mm_unpackhi_epi64(twos, twos));
  return _mm_cvtsi128_si32(pair) + _mm_extract_epi32(pair, 1);
#else
  int32_t lanes[HH_BLOCK], sum = 0;
  memcpy(lanes, &low, sizeof low);
  memcpy(lanes + HH_LANES, &high, sizeof high);
  for (int i = 0; i < HH_BLOCK; i++) {
#ifdef HH_WIDE_ACTIVATIONS
    to[i] = (int16_t)lanes[i / 4 * 4 + (i % 2 * 2 + i % 4 / 2)];
#else
    to[i] = (int8_t)lanes[i];
#endif
    sum += lanes[i];
  }
  return sum;
#endif
}

/* One group: blocks [from, to) of a row. Returns the scale. */
static float quantize_group(activation_element *values, int32_t *offsets, const float *x, int64_t from, int64_t to) {
  f32x16 largest = splat16(0.0f);
  for (int64_t i = from * HH_BLOCK; i < to * HH_BLOCK; i += HH_LANES) largest = max16(largest, abs16(load16(x + i)));
  const float scale = largest_of(largest) / 127.0f;
  const f32x16 inverse = splat16(scale == 0.0f ? 0.0f : 1.0f / scale);
  for (int64_t block = from; block < to; block++) {
    const float *at = x + block * HH_BLOCK;
    const i32x16 low = round_half_away(mul16(load16(at), inverse));
    const i32x16 high = round_half_away(mul16(load16(at + HH_LANES), inverse));
    offsets[block] = -128 * store_activations(values + block * HH_BLOCK, low, high);
  }
  return scale;
}

static void quantize_row(uint8_t *to, const float *x, int64_t in) {
  const int64_t groups = hh_group_count(in);
  float *scales = (float *)(to + in * HH_ACTIVATION_BYTES);
  int32_t *offsets = (int32_t *)(scales + groups);
  for (int64_t g = 0; g < groups; g++)
    scales[g] = quantize_group((activation_element *)to, offsets, x, hh_group_start(in, g), hh_group_start(in, g + 1));
}

static void quantize_rows(const hh_call *call) {
  const hh_word *a = call->arguments;
  const float *x = address(a[1]);
  const int64_t in = a[2], row_bytes = hh_quantized_bytes(in);
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t row = share_start(call->rows, call->share.index, call->share.count); row < end; row++)
    quantize_row((uint8_t *)address(a[0]) + row * row_bytes, x + row * in, in);
}
