/* Cross-entropy of each row of logits with a target id, and its gradient.
 *
 * Arguments: 0 y (rows, 1), or the gradient (rows, width), which may take over the logits, 1 logits (rows, width),
 * 2 targets (rows), 3 width, 4 label smoothing e (float), 5 z-loss (float). Gradient also: 6 gradient of y (rows, 1),
 * 7 y (rows, 1) or 0, 8 a row of floats for each thread where the gradient is to be rounded to bfloat16 (round_rows.c; its
 * rows are multiples of 32), else 0, 9 bytes of that.
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

typedef struct {
  int64_t width;
  float smoothing, z_loss;
} cross_entropy_call;

/* A row's logits and what is found out about them. */
typedef struct {
  const float *z;
  int32_t target;
  float largest, sum, lse; /* sum: of exp(z - largest) */
} cross_entropy_row;

HH_INLINE int cross_entropy_counts(const cross_entropy_call *c, int32_t target) { return target >= 0 && target < c->width; }

/* Goes over a row; exponentials are stored in y where it is not NULL. */
static cross_entropy_row cross_entropy_over(const cross_entropy_call *c, const float *z, int32_t target, float *y) {
  const float largest = largest_logit(z, c->width), sum = exponential_sum(y, z, c->width, largest);
  return (cross_entropy_row){z, target, largest, sum, log_of_sum(largest, sum)};
}

/* `logit`: the target's, and `total`, of all of them, as they were. */
HH_INLINE float cross_entropy_of(const cross_entropy_call *c, const cross_entropy_row *row, float logit, float total) {
  const float smoothed = c->smoothing > 0 ? c->smoothing * (row->lse - total / (float)c->width) : 0.0f;
  return (1.0f - c->smoothing) * (row->lse - logit) + c->z_loss * row->lse * row->lse + smoothed;
}

static void cross_entropy(const hh_call *call) {
  const hh_word *a = call->arguments;
  float *y = address(a[0]);
  const int32_t *targets = address(a[2]);
  const cross_entropy_call c = {a[3], float_argument(a[4]), float_argument(a[5])};
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t i = share_start(call->rows, call->share.index, call->share.count); i < end; i++) {
    const float *z = (const float *)address(a[1]) + i * c.width;
    y[i] = 0.0f;
    if (!cross_entropy_counts(&c, targets[i])) continue;
    const cross_entropy_row row = cross_entropy_over(&c, z, targets[i], NULL);
    y[i] = cross_entropy_of(&c, &row, z[targets[i]], c.smoothing > 0 ? sum_of_row(z, c.width) : 0.0f);
  }
}

/* dy ((1 + 2 zLoss lse) p - (1 - e) [target] - e / width) from exponentials, in place. */
static void cross_entropy_slope(const cross_entropy_call *c, const cross_entropy_row *row, float *y, float dy) {
  const f32x16 factor = splat16(dy * (1.0f + 2.0f * c->z_loss * row->lse) / row->sum);
  const f32x16 rest = splat16(-dy * c->smoothing / (float)c->width);
  for (int64_t at = 0; at < c->width; at += HH_LANES)
    store_some(y + at, fma16(load_some(y + at, c->width - at), factor, rest), c->width - at);
  y[row->target] -= dy * (1.0f - c->smoothing);
}

/* A row of the gradient in float32. Returns the loss. */
static float cross_entropy_gradient_row(const cross_entropy_call *c, const float *z, int32_t target, float dy, float *y) {
  if (!cross_entropy_counts(c, target)) {
    memset(y, 0, (size_t)c->width * sizeof(float));
    return 0.0f;
  }
  /* y may be z. */
  const float logit = z[target], total = c->smoothing > 0 ? sum_of_row(z, c->width) : 0.0f;
  const cross_entropy_row row = cross_entropy_over(c, z, target, y);
  cross_entropy_slope(c, &row, y, dy);
  return cross_entropy_of(c, &row, logit, total);
}

static void cross_entropy_gradient(const hh_call *call) {
  const hh_word *a = call->arguments;
  const int32_t *targets = address(a[2]);
  const cross_entropy_call c = {a[3], float_argument(a[4]), float_argument(a[5])};
  const float *dy = address(a[6]);
  float *losses = address(a[7]), *kept = (float *)((char *)address(a[8]) + call->thread * a[9]);
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t i = share_start(call->rows, call->share.index, call->share.count); i < end; i++) {
    float *y = a[8] ? kept : (float *)address(a[0]) + i * c.width;
    const float loss = cross_entropy_gradient_row(&c, (const float *)address(a[1]) + i * c.width, targets[i], dy[i], y);
    if (losses) losses[i] = loss;
    if (a[8]) round_row((uint16_t *)address(a[0]) + i * bfloat_stride(c.width), y, c.width);
  }
}
