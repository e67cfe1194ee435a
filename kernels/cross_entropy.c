/* Cross-entropy of each row of logits with a target id, and its gradient.
 *
 * Arguments: 0 y (rows, 1), or the gradient (rows, width), which may take over the logits, 1 logits (rows, width),
 * 2 targets (rows), 3 width, 4 label smoothing e (float), 5 z-loss (float). Gradient also: 6 gradient of y (rows, 1).
 *
 * With lse = ln sum exp z: (1 - e) (lse - z_target) + e (lse - mean z) + zLoss lse^2; a row whose target is -1 has none.
 * Sums run in 16 lanes, 16 elements after 16, what is left over in the first lanes; then across lanes.
 * Smoothing: Szegedy et al., 2016 (arXiv:1512.00567); z-loss: Chowdhery et al., 2022 (arXiv:2204.02311), section 5. */

/* 16 elements from `from` on; the lanes beyond `count` hold -infinity. */
HH_INLINE f32x16 load_logits(const float *from, int64_t count) {
  if (__builtin_expect(count >= HH_LANES, 1)) return load16(from);
  float lanes[HH_LANES];
  for (int64_t i = 0; i < HH_LANES; i++) lanes[i] = i < count ? from[i] : -__builtin_inff();
  return load16(lanes);
}

static float largest_logit(const float *z, int64_t width) {
  f32x16 largest[4];
  HH_UNROLL for (int i = 0; i < 4; i++) largest[i] = splat16(-__builtin_inff());
  int64_t at = 0;
  for (; at + 4 * HH_LANES <= width; at += 4 * HH_LANES)
    HH_UNROLL for (int i = 0; i < 4; i++) largest[i] = max16(largest[i], load16(z + at + i * HH_LANES));
  for (; at < width; at += HH_LANES) largest[0] = max16(largest[0], load_logits(z + at, width - at));
  return largest_of(max16(max16(largest[0], largest[1]), max16(largest[2], largest[3])));
}

/* Sum of exp(z - largest); they are stored in y where it is not NULL. */
static float exponential_sum(float *y, const float *z, int64_t width, float largest) {
  f32x16 sum = splat16(0.0f);
  const f32x16 subtracted = splat16(largest);
  for (int64_t at = 0; at < width; at += HH_LANES) {
    const f32x16 e = exp_falling16(sub16(load_logits(z + at, width - at), subtracted));
    sum = add16(sum, e);
    if (y) store_some(y + at, e, width - at);
  }
  return sum_of(sum);
}

static float sum_of_row(const float *z, int64_t width) {
  f32x16 sum = splat16(0.0f);
  for (int64_t at = 0; at < width; at += HH_LANES) sum = add16(sum, load_some(z + at, width - at));
  return sum_of(sum);
}

/* ln sum exp from the largest element and the sum of exp(z - largest). */
static float log_of_sum(float largest, float sum) {
  float lanes[HH_LANES];
  store16(lanes, log16(splat16(sum)));
  return largest + lanes[0];
}

static void cross_entropy(const hh_call *call) {
  const hh_word *a = call->arguments;
  float *y = address(a[0]);
  const int32_t *targets = address(a[2]);
  const int64_t width = a[3];
  const float smoothing = float_argument(a[4]), z_loss = float_argument(a[5]);
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t row = share_start(call->rows, call->share.index, call->share.count); row < end; row++) {
    const float *z = (const float *)address(a[1]) + row * width;
    y[row] = 0.0f;
    if (targets[row] < 0 || targets[row] >= width) continue;
    const float largest = largest_logit(z, width);
    const float lse = log_of_sum(largest, exponential_sum(NULL, z, width, largest));
    float loss = (1.0f - smoothing) * (lse - z[targets[row]]) + z_loss * lse * lse;
    if (smoothing > 0) loss += smoothing * (lse - sum_of_row(z, width) / (float)width);
    y[row] = loss;
  }
}

/* dy ((1 + 2 zLoss lse) p - (1 - e) [target] - e / width) */
static void cross_entropy_row(float *y, const float *z, int64_t width, int32_t target, float dy, float smoothing,
                              float z_loss) {
  const float largest = largest_logit(z, width), sum = exponential_sum(y, z, width, largest);
  const float lse = log_of_sum(largest, sum);
  const f32x16 factor = splat16(dy * (1.0f + 2.0f * z_loss * lse) / sum), rest = splat16(-dy * smoothing / (float)width);
  for (int64_t at = 0; at < width; at += HH_LANES)
    store_some(y + at, fma16(load_some(y + at, width - at), factor, rest), width - at);
  y[target] -= dy * (1.0f - smoothing);
}

static void cross_entropy_gradient(const hh_call *call) {
  const hh_word *a = call->arguments;
  const int32_t *targets = address(a[2]);
  const int64_t width = a[3];
  const float *dy = address(a[6]);
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t row = share_start(call->rows, call->share.index, call->share.count); row < end; row++) {
    float *y = (float *)address(a[0]) + row * width;
    const float *z = (const float *)address(a[1]) + row * width;
    if (targets[row] < 0 || targets[row] >= width || dy[row] == 0.0f) memset(y, 0, (size_t)width * sizeof(float));
    else cross_entropy_row(y, z, width, targets[row], dy[row], float_argument(a[4]), float_argument(a[5]));
  }
}
