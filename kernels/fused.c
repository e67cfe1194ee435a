/* Small operations that follow each other, done row by row in one instruction: what one leaves in the cache, the next
 * finds there. Each is made of the functions that it is made of alone, so the bits are the same. */

/* Sum, norm and quantization of each row: s = x + addend, y = norm(s), q = y in int8 groups.
 *
 * Arguments: 0 y, 1 x (rows, width), 2 weight (width), 3 bias (width) or 0, 4 width, 5 eps (float), 6 layer norm: 1, RMS
 * norm: 0, 7 addend (rows, width) or 0: then s = x, 8 s, 9 quantized rows or 0: y is not quantized, 10 whether nobody
 * else reads y: it then has a row for each thread.
 * s may be x or addend; y may be any of them where it has all its rows. */
static void norm_rows(const hh_call *call) {
  const hh_word *a = call->arguments;
  const float *addend = address(a[7]);
  const int64_t width = a[4];
  const int64_t end = share_start(call->rows, call->share.index + 1, call->share.count);
  for (int64_t row = share_start(call->rows, call->share.index, call->share.count); row < end; row++) {
    const float *x = (const float *)address(a[1]) + row * width;
    float *y = (float *)address(a[0]) + (a[10] ? call->thread : row) * width;
    if (addend != NULL) {
      float *sum = (float *)address(a[8]) + row * width;
      for (int64_t i = 0; i < width; i += HH_LANES) {
        const int64_t left = width - i;
        store_some(sum + i, add16(load_some(x + i, left), load_some(addend + row * width + i, left)), left);
      }
      x = sum;
    }
    if (a[6]) layer_norm_row(y, x, address(a[2]), address(a[3]), width, float_argument(a[5]));
    else rms_norm_row(y, x, address(a[2]), width, float_argument(a[5]));
    if (a[9]) quantize_row(address(a[9]), y, row, call->rows, width);
  }
}

/* Activation and quantization: y = activation(gate) * up, or activation(gate); q = y in int8 groups.
 *
 * Arguments: 0 y, or 0 where nobody else reads it, 1 gate (rows, width), 2 up (rows, width) or 0, 3 width, 4 which
 * activation, 5 quantized rows. y may be gate or up. Shares are of groups, so that one row can be divided too. */
static void activate_rows(const hh_call *call) {
  const hh_word *a = call->arguments;
  float *all = address(a[0]), group_y[HH_GROUP_BLOCKS * HH_BLOCK];
  const float *gates = address(a[1]), *ups = address(a[2]);
  const int64_t width = a[3], kind = a[4], groups = hh_group_count(width);
  const int64_t total = groups * call->rows, end = share_start(total, call->share.index + 1, call->share.count);
  for (int64_t unit = share_start(total, call->share.index, call->share.count); unit < end; unit++) {
    const int64_t row = unit / groups, group = unit % groups;
    const int64_t from = hh_group_start(width, group) * HH_BLOCK, count = hh_group_start(width, group + 1) * HH_BLOCK - from;
    const float *gate = gates + row * width + from, *up = ups + row * width + from;
    float *y = all == NULL ? group_y : all + row * width + from;
    for (int64_t i = 0; i < count; i += HH_LANES) {
      const f32x16 activated = activate16(kind, load16(gate + i));
      store16(y + i, ups == NULL ? activated : mul16(activated, load16(up + i)));
    }
    quantize_group(address(a[5]), y, row, call->rows, width, group);
  }
}

/* Several linear maps of the same rows, by matrices of the same storage: query, key and value, or gate and up. Threads
 * meet once after all of them. A share of the whole is that share of each.
 *
 * Arguments: 0 which operation, 1 how many, then the arguments of each: as many as that operation takes, LINEAR_ARGUMENTS. */
#define LINEAR_ARGUMENTS 6
static void linear_group(const hh_call *call) {
  const hh_word *a = call->arguments;
  hh_operation *const operation = HH_TABLE(HH_ISA)[a[0]];
  hh_call each = *call;
  for (int64_t i = 0; i < a[1]; i++) {
    each.arguments = a + 2 + i * LINEAR_ARGUMENTS;
    operation(&each);
  }
}
