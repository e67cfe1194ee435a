/* Rows of floats rounded to bfloat16, as products of matrices read them on their left.
 *
 * Arguments: 0 rounded (rows, bfloat_stride(width)), 1 x (rows, width), 2 width.
 * To the nearest, ties to even; what is smaller than the smallest normal number becomes zero, as on AMX. Zeros follow a
 * row up to a multiple of 32. */

/* Elements from row to row: whole chunks of 32, an odd number of them, so that rows differ in where in a cache they lie. */
HH_INLINE int64_t bfloat_stride(int64_t width) { return ((width + 31) / 32 | 1) * 32; }

/* The nearest bfloat16, as the upper half of a float; the lower half is zero. */
HH_INLINE i32x16 round_to_bfloat(f32x16 x) {
#if defined(__AVX512BF16__)
  const __m256i rounded = (__m256i)_mm512_cvtneps_pbh((__m512)x.part[0]);
  return (i32x16){{(i32_part)_mm512_slli_epi32(_mm512_cvtepu16_epi32(rounded), 16)}};
#else
  const f32x16 infinite = of_bits(splat_int(0x7f800000)), size = abs16(x);
  const i32x16 bits = bits_of(x), odd = and_int(shift_right(bits, 16), splat_int(1));
  const f32x16 nearest = of_bits(add_int(add_int(bits, splat_int(0x7fff)), odd));
  /* Twice what is infinite or not a number is the same, and quiet. */
  const f32x16 number = where_less(size, infinite, nearest, add16(x, x));
  const f32x16 normal = where_less(size, splat16(0x1p-126f), with_sign(splat16(0.0f), x), number);
  return and_int(bits_of(normal), splat_int((int32_t)0xffff0000));
#endif
}

HH_INLINE void store_bfloats(uint16_t *to, f32x16 x) {
#if defined(__AVX512BF16__)
  _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh((__m512)x.part[0]));
#else
  int32_t lanes[HH_LANES];
  const i32x16 rounded = shift_right(round_to_bfloat(x), 16);
  memcpy(lanes, &rounded, sizeof lanes);
  for (int i = 0; i < HH_LANES; i++) to[i] = (uint16_t)lanes[i];
#endif
}

HH_INLINE void round_row(uint16_t *to, const float *x, int64_t width) {
  for (int64_t i = 0; i < (width + 31) / 32 * 32; i += HH_LANES)
    store_bfloats(to + i, load_next(x + i, width > i ? width - i : 0));
}

static void round_rows(const hh_call *call) {
  const hh_word *a = call->arguments;
  uint16_t *to = address(a[0]);
  const float *x = address(a[1]);
  const int64_t width = a[2], stride = bfloat_stride(width);
  const row_range rows = rows_of(call);
  for (int64_t row = rows.first; row < rows.end; row++)
    round_row(to + row * stride, x + row * width, width);
}
