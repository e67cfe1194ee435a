/* ln of the sum of exponentials of each row.
 *
 * Arguments: 0 y (rows), 1 x (rows, width), 2 width.
 * Exponentials of (x - largest) are summed in 16 lanes, 16 elements after 16; then across lanes. */
static void log_sum_exp(const hh_call *call) {
  const hh_word *a = call->arguments;
  float *y = address(a[0]);
  const int64_t width = a[2];
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t row = share_start(call->rows, call->share.index, call->share.count); row < end; row++) {
    const float *x = (const float *)address(a[1]) + row * width;
    /* Lanes beyond the row hold -infinity. */
    const int64_t whole = width / HH_LANES * HH_LANES;
    float rest[HH_LANES];
    for (int64_t i = 0; i < HH_LANES; i++) rest[i] = whole + i < width ? x[whole + i] : -__builtin_inff();
    f32x16 largest = load16(rest), sum;
    for (int64_t i = 0; i < whole; i += HH_LANES) largest = max16(largest, load16(x + i));
    largest = splat16(largest_of(largest));
    sum = splat16(0.0f);
    for (int64_t i = 0; i < whole; i += HH_LANES) sum = add16(sum, exp16(sub16(load16(x + i), largest)));
    sum = add16(sum, exp16(sub16(load16(rest), largest)));
    float lanes[HH_LANES];
    store16(lanes, add16(largest, log16(splat16(sum_of(sum)))));
    y[row] = lanes[0];
  }
}
