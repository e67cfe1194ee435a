/* Where the largest number of each row stands, as a float; of equal ones the lowest.
 *
 * Arguments: 0 y (rows), 1 x (rows, width), 2 width, at most 2^24.
 * Each lane of four registers keeps its largest number and where that was; all begin with the first number, which is
 * therefore the answer where it is not a number. What is left at the end of the row is compared one by one. */
static void argmax(const hh_call *call) {
  enum { STREAMS = 4, STEP = STREAMS * HH_LANES };
  const hh_word *a = call->arguments;
  float *y = address(a[0]);
  const int64_t width = a[2];
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t row = share_start(call->rows, call->share.index, call->share.count); row < end; row++) {
    const float *x = (const float *)address(a[1]) + row * width;
    f32x16 largest[STREAMS], place[STREAMS];
    HH_UNROLL for (int s = 0; s < STREAMS; s++) {
      largest[s] = splat16(x[0]);
      place[s] = splat16(0.0f);
    }
    f32x16 here = count_from(0.0f);
    int64_t i = 0;
    for (; i + STEP <= width; i += STEP) {
      HH_UNROLL for (int s = 0; s < STREAMS; s++) {
        const f32x16 v = load16(x + i + s * HH_LANES);
        place[s] = where_less(largest[s], v, here, place[s]);
        largest[s] = where_less(largest[s], v, v, largest[s]);
        here = add16(here, splat16((float)HH_LANES));
      }
    }
    float best = x[0], at = 0.0f;
    for (int s = 0; s < STREAMS; s++) {
      float values[HH_LANES], places[HH_LANES];
      store16(values, largest[s]);
      store16(places, place[s]);
      for (int lane = 0; lane < HH_LANES; lane++) {
        if (!(values[lane] > best || (values[lane] == best && places[lane] < at))) continue;
        best = values[lane];
        at = places[lane];
      }
    }
    for (; i < width; i++) {
      if (!(x[i] > best)) continue;
      best = x[i];
      at = (float)i;
    }
    y[row] = at;
  }
}
