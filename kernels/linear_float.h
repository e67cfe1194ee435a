/* A linear map of each row by a packed matrix of floats of some kind: y = W x + b, x in float32.
 *
 * Arguments: 0 y (rows, out), 1 x (rows, in), 2 W packed, 3 bias (out) or 0, 4 out, 5 in.
 * Each output is a chain of fused multiply-adds over in = 0, 1, 2, ... that starts from the bias, whatever the number
 * of rows: one row (decode) and many (prefill) have the same bits. Tiles of rows x panels only decide which chains run
 * side by side; a matrix is crossed in stretches of `in` that stay in the cache, with sums put down in y between.
 *
 * Included once per storage type, with LINEAR_NAME(name), LINEAR_ELEMENT and LINEAR_LOAD(from) defined;
 * LINEAR_UNPACK where the type is slow to turn into float32 without instructions for it. */

#ifndef HH_TILE_PANELS
/* Rows and panels of the largest tile: its sums fill most of the registers. */
#if HH_WIDTH == 16
#define HH_TILE_ROWS 6
#define HH_TILE_PANELS 4
#elif HH_WIDTH == 1
#define HH_TILE_ROWS 1
#define HH_TILE_PANELS 1
#elif defined(HH_WASM_LANES)
#define HH_TILE_ROWS 4
#define HH_TILE_PANELS 1
#else
#define HH_TILE_ROWS 6
#define HH_TILE_PANELS 1
#endif
/* Panels at once for a single row: enough independent chains to hide the latency of an addition. */
#if HH_WIDTH == 16
#define HH_ROW_PANELS 8
#elif defined(HH_WASM_LANES) || defined(HH_ISA_SCALAR)
#define HH_ROW_PANELS 2
#else
#define HH_ROW_PANELS 4
#endif
/* Elements of `in` that a tile crosses before the next rows take their turn. */
#define HH_STRETCH 256

typedef struct {
  float *y;
  const float *x;
  const void *weights;
  const float *bias;
  int64_t out, in;
  /* From row to row of y, of x, and of what sums start from (0: one bias for all); from panel to panel. In elements. */
  int64_t y_stride, x_stride, bias_stride, panel_stride;
} linear_call;

HH_INLINE linear_call linear_arguments(const hh_call *call) {
  const hh_word *a = call->arguments;
  return (linear_call){address(a[0]), address(a[1]), address(a[2]), address(a[3]), a[4], a[5],
                       a[4], a[5], 0, a[5] * HH_LANES};
}

/* Where the sums of a row and panel start: from the bias, or from what an earlier stretch left in y. */
HH_INLINE f32x16 linear_start(const linear_call *l, int64_t row, int64_t panel, int64_t k) {
  const int64_t first = panel * HH_LANES, count = l->out - first;
  if (k > 0) return load_some(l->y + row * l->y_stride + first, count);
  return l->bias ? load_some(l->bias + row * l->bias_stride + first, count) : splat16(0.0f);
}

HH_INLINE void linear_finish(const linear_call *l, int64_t row, int64_t panel, f32x16 sum, const int half) {
  float *to = l->y + row * l->y_stride + panel * HH_LANES;
  const int64_t count = l->out - panel * HH_LANES;
  if (half == HH_WHOLE) {
    store_some(to, sum, count);
    return;
  }
  float lanes[HH_LANES / 2];
  memcpy(lanes, (const char *)&sum + half * sizeof lanes, sizeof lanes);
  const int64_t first = half * HH_LANES / 2;
  if (count >= HH_LANES) memcpy(to + first, lanes, sizeof lanes);
  else
    for (int64_t i = first; i < count && i < first + HH_LANES / 2; i++) to[i] = lanes[i - first];
}
#endif

/* One tile over a stretch [from, to) of `in`; `w` holds the first panel from there on. */
HH_INLINE void LINEAR_NAME(tile)(const linear_call *l, const LINEAR_ELEMENT *w, int64_t row, int64_t panel,
                                 int64_t from, int64_t to, const int rows, const int panels, const int half) {
  const float *x = l->x + row * l->x_stride + from;
  f32x16 sum[6][8];
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int p = 0; p < panels; p++) sum[r][p] = linear_start(l, row + r, panel + p, from);
  for (int64_t k = 0; k < to - from; k++) {
    f32x16 weights[8];
    HH_UNROLL for (int p = 0; p < panels; p++) weights[p] = LINEAR_LOAD(w + p * l->panel_stride + k * HH_LANES);
    HH_UNROLL for (int r = 0; r < rows; r++) {
      const f32x16 value = splat16(x[r * l->x_stride + k]);
      HH_UNROLL for (int p = 0; p < panels; p++) sum[r][p] = fma16(value, weights[p], sum[r][p]);
    }
  }
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int p = 0; p < panels; p++) linear_finish(l, row + r, panel + p, sum[r][p], half);
}

#if defined(HH_WASM_LANES)
#define LINEAR_TILE(rows)                                         \
  LINEAR_NAME(tile)(l, w, row, panel, from, to, rows, panels, 0); \
  LINEAR_NAME(tile)(l, w, row, panel, from, to, rows, panels, 1)
#else
#define LINEAR_TILE(rows) LINEAR_NAME(tile)(l, w, row, panel, from, to, rows, panels, HH_WHOLE)
#endif

/* All rows over a stretch, in tiles of 1 to HH_TILE_ROWS: the number of rows is a constant in each. */
HH_INLINE void LINEAR_NAME(stretch)(const linear_call *l, const LINEAR_ELEMENT *w, int64_t rows, int64_t panel,
                                    int64_t from, int64_t to, const int panels) {
  for (int64_t row = 0; row < rows; row += HH_TILE_ROWS) {
    const int64_t left = rows - row;
    switch (left < HH_TILE_ROWS ? left : HH_TILE_ROWS) {
      case 1: LINEAR_NAME(tile)(l, w, row, panel, from, to, 1, panels, HH_WHOLE); break;
#if HH_TILE_ROWS >= 4
      case 2: LINEAR_NAME(tile)(l, w, row, panel, from, to, 2, panels, HH_WHOLE); break;
      case 3: LINEAR_TILE(3); break;
      case 4: LINEAR_TILE(4); break;
#endif
#if HH_TILE_ROWS >= 6
      case 5: LINEAR_TILE(5); break;
      case 6: LINEAR_TILE(6); break;
#endif
    }
  }
}
#undef LINEAR_TILE

HH_INLINE void LINEAR_NAME(panels)(const linear_call *l, int64_t rows, int64_t panel, const int panels) {
  const int64_t stretch = rows > HH_TILE_ROWS ? HH_STRETCH : l->in;
  for (int64_t from = 0; from < l->in; from += stretch) {
    const int64_t to = from + stretch < l->in ? from + stretch : l->in;
    const LINEAR_ELEMENT *w = (const LINEAR_ELEMENT *)l->weights + panel * l->panel_stride + from * HH_LANES;
#if defined(HH_WASM_LANES) && defined(LINEAR_UNPACK)
    /* Turning these into float32 takes longer than using them: for many rows it is done once. */
    if (rows > HH_TILE_ROWS) {
      float unpacked[HH_STRETCH * HH_LANES];
      for (int64_t k = 0; k < to - from; k++) store16(unpacked + k * HH_LANES, LINEAR_LOAD(w + k * HH_LANES));
      linear_f32_stretch(l, unpacked, rows, panel, from, to, panels);
      continue;
    }
#endif
    LINEAR_NAME(stretch)(l, w, rows, panel, from, to, panels);
  }
}

/* All rows by panels [panel, end). */
HH_INLINE void LINEAR_NAME(block)(const linear_call *l, int64_t rows, int64_t panel, int64_t end) {
  if (rows == 1)
    for (; panel + HH_ROW_PANELS <= end; panel += HH_ROW_PANELS)
      LINEAR_NAME(tile)(l, (const LINEAR_ELEMENT *)l->weights + panel * l->panel_stride, 0, panel, 0, l->in, 1,
                        HH_ROW_PANELS, HH_WHOLE);
#if HH_TILE_PANELS > 1
  for (; panel + HH_TILE_PANELS <= end; panel += HH_TILE_PANELS) LINEAR_NAME(panels)(l, rows, panel, HH_TILE_PANELS);
#endif
  for (; panel < end; panel++) LINEAR_NAME(panels)(l, rows, panel, 1);
}

static void LINEAR_NAME(run)(const hh_call *call) {
  const linear_call l = linear_arguments(call);
  const int64_t panels = (l.out + HH_LANES - 1) / HH_LANES;
  const int64_t end = share_start(panels, call->share.index + 1, call->share.count);
  LINEAR_NAME(block)(&l, call->rows, share_start(panels, call->share.index, call->share.count), end);
}

#undef LINEAR_NAME
#undef LINEAR_ELEMENT
#undef LINEAR_LOAD
#undef LINEAR_UNPACK
