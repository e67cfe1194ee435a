/* Turns rows of activations into groups of about 256 int8 with one scale each, for the linear maps by quantized matrices.
 *
 * Arguments: 0 quantized rows (layout in hitherto.h), 1 x (rows, in), 2 in, a multiple of 32.
 * scale = largest magnitude / 127; values are x / scale, rounded half away from zero: roundToInt8Groups in
 * src/graph/operations/linear.ts. */

/* Nearest integers, halves away from zero, as floats. |x| < 2^22. */
HH_INLINE f32x16 round_half_away(f32x16 x) {
  const f32x16 whole = float_of_int(int_of_float(x)), rest = abs16(sub16(x, whole));
  const f32x16 step = where_less(rest, splat16(0.5f), splat16(0.0f), splat16(1.0f));
  return add16(whole, with_sign(step, x));
}

/* Stores 32 integers of 8 bits. Returns their sum. */
HH_INLINE int32_t store_activations(activation_element *to, i32x16 low, i32x16 high) {
#if HH_WIDTH == 16 && !defined(HH_WIDE_ACTIVATIONS)
  _mm_storeu_si128((__m128i *)to, _mm512_cvtepi32_epi8((__m512i)low.part[0]));
  _mm_storeu_si128((__m128i *)(to + HH_LANES), _mm512_cvtepi32_epi8((__m512i)high.part[0]));
  return _mm512_reduce_add_epi32((__m512i)add_int(low, high).part[0]);
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
    const i32x16 low = int_of_float(round_half_away(mul16(load16(at), inverse)));
    const i32x16 high = int_of_float(round_half_away(mul16(load16(at + HH_LANES), inverse)));
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
