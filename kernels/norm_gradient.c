/* Gradients of the normalisations. With h = (x - mean) r, or x r, where r = 1 / sqrt(.. + eps) as in the norm, and
 * g = dy weight: dx = r (g - mean(g) - h mean(g h)), without mean(g) for the RMS norm; dweight = sum of dy h over rows,
 * dbias = sum of dy. What the forward pass knew of a row is computed again: the row has to be read anyway.
 *
 * Sums over rows are those of chunks (column_sums.c); sum_chunks follows. dx may be x or dy. */

/* Lanes beyond a row are to count nothing. */
HH_INLINE f32x16 only_first(f32x16 a, int64_t count) {
  if (__builtin_expect(count >= HH_LANES, 1)) return a;
  return where_less(count_from(0.0f), splat16((float)count), a, splat16(0.0f));
}

HH_INLINE void rms_norm_gradient_row(float *dx, const float *x, const float *weight, const float *dy, float *dweight,
                                     int64_t size, float eps) {
  f32x16 squares = splat16(0.0f), products = splat16(0.0f);
  for (int64_t i = 0; i < size; i += HH_LANES) {
    const f32x16 v = load_next(x + i, size - i);
    squares = fma16(v, v, squares);
    products = fma16(mul16(load_next(dy + i, size - i), load_some(weight + i, size - i)), v, products);
  }
  const float r = 1.0f / __builtin_sqrtf(sum_of(squares) / (float)size + eps);
  const f32x16 factor = splat16(r), along = splat16(-(sum_of(products) * r / (float)size));
  for (int64_t i = 0; i < size; i += HH_LANES) {
    const int64_t left = size - i;
    const f32x16 h = mul16(load_some(x + i, left), factor), d = load_some(dy + i, left);
    store_some(dweight + i, fma16(d, h, load_some(dweight + i, left)), left);
    const f32x16 g = mul16(d, load_some(weight + i, left));
    store_some(dx + i, mul16(fma16(h, along, g), factor), left);
  }
}

/* Arguments: 0 dx (rows, groups * size), 1 x, 2 weight (size), 3 dy, 4 sums (chunks, size), 5 groups, 6 size, 7 eps. */
static void rms_norm_gradient(const hh_call *call) {
  const hh_word *a = call->arguments;
  const int64_t groups = a[5], size = a[6];
  const row_range rows = chunk_rows_of(call);
  for (int64_t row = rows.first; row < rows.end; row++) {
    float *sums = (float *)address(a[4]) + row / HH_CHUNK_ROWS * size;
    if (row % HH_CHUNK_ROWS == 0) memset(sums, 0, (size_t)size * sizeof(float));
    for (int64_t group = row * groups; group < (row + 1) * groups; group++)
      rms_norm_gradient_row((float *)address(a[0]) + group * size, (const float *)address(a[1]) + group * size,
                            address(a[2]), (const float *)address(a[3]) + group * size, sums, size,
                            float_argument(a[7]));
  }
}

/* sums: those of dweight, then those of dbias. */
HH_INLINE void layer_norm_gradient_row(float *dx, const float *x, const float *weight, const float *dy, float *sums,
                                       int64_t width, float eps) {
  f32x16 sum = splat16(0.0f), squares = splat16(0.0f), slopes = splat16(0.0f), products = splat16(0.0f);
  for (int64_t i = 0; i < width; i += HH_LANES) sum = add16(sum, load_next(x + i, width - i));
  const f32x16 mean = splat16(sum_of(sum) / (float)width);
  for (int64_t i = 0; i < width; i += HH_LANES) {
    const int64_t left = width - i;
    const f32x16 v = only_first(sub16(load_some(x + i, left), mean), left);
    const f32x16 g = mul16(load_next(dy + i, left), load_some(weight + i, left));
    squares = fma16(v, v, squares);
    slopes = add16(slopes, g);
    products = fma16(g, v, products);
  }
  const float r = 1.0f / __builtin_sqrtf(sum_of(squares) / (float)width + eps);
  const f32x16 factor = splat16(r), along = splat16(-(sum_of(products) * r / (float)width));
  const f32x16 level = splat16(sum_of(slopes) / (float)width);
  for (int64_t i = 0; i < width; i += HH_LANES) {
    const int64_t left = width - i;
    const f32x16 h = mul16(sub16(load_some(x + i, left), mean), factor), d = load_some(dy + i, left);
    store_some(sums + i, fma16(d, h, load_some(sums + i, left)), left);
    store_some(sums + width + i, add16(d, load_some(sums + width + i, left)), left);
    const f32x16 g = sub16(mul16(d, load_some(weight + i, left)), level);
    store_some(dx + i, mul16(fma16(h, along, g), factor), left);
  }
}

/* Arguments: 0 dx (rows, width), 1 x, 2 weight (width), 3 dy, 4 sums (chunks, 2 * width), 5 width, 6 eps. */
static void layer_norm_gradient(const hh_call *call) {
  const hh_word *a = call->arguments;
  const int64_t width = a[5];
  const row_range rows = chunk_rows_of(call);
  for (int64_t row = rows.first; row < rows.end; row++) {
    float *sums = (float *)address(a[4]) + row / HH_CHUNK_ROWS * 2 * width;
    if (row % HH_CHUNK_ROWS == 0) memset(sums, 0, (size_t)(2 * width) * sizeof(float));
    layer_norm_gradient_row((float *)address(a[0]) + row * width, (const float *)address(a[1]) + row * width,
                            address(a[2]), (const float *)address(a[3]) + row * width, sums, width,
                            float_argument(a[6]));
  }
}
