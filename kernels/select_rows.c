/* Picks rows.
 *
 * Arguments: 0 y (rows, width), 1 x (.., width), 2 which (rows), 3 width. */
static void select_rows(const hh_call *call) {
  const hh_word *a = call->arguments;
  float *y = address(a[0]);
  const float *x = address(a[1]);
  const int32_t *which = address(a[2]);
  const int64_t width = a[3];
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t row = share_start(call->rows, call->share.index, call->share.count); row < end; row++)
    memcpy(y + row * width, x + which[row] * width, (size_t)width * sizeof(float));
}
