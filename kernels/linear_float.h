/* A linear map of each row by a packed matrix of floats of some kind: y = W x + b, x in float32.
 *
 * Arguments: 0 y (rows, out), 1 x (rows, in), 2 W packed, 3 bias (out) or 0, 4 out, 5 in.
 * Each output is a chain of fused multiply-adds over in = 0, 1, 2, ... that starts from the bias, whatever the number
 * of rows: one row (decode) and many (prefill) have the same bits. Tiles of rows x panels only decide which chains run
 * side by side; a matrix is crossed in stretches of `in` that stay in the cache, with sums put down in y between.
 *
 * Included once per storage type, with LINEAR_NAME(name), LINEAR_ELEMENT and LINEAR_LOAD(from) defined. */

#ifndef HH_TILE_PANELS
/* Rows and panels of the largest tile: its sums fill most of the registers. */
#if HH_WIDTH == 16
#define HH_TILE_ROWS 6
#define HH_TILE_PANELS 4
#elif HH_WIDTH == 1
#define HH_TILE_ROWS 1
#define HH_TILE_PANELS 1
#elif defined(__wasm__)
#define HH_TILE_ROWS 3
#define HH_TILE_PANELS 1
#else
#define HH_TILE_ROWS 6
#define HH_TILE_PANELS 1
#endif
/* Panels at once for a single row: enough independent chains to hide the latency of an addition. */
#if HH_WIDTH == 16
#define HH_ROW_PANELS 8
#elif HH_WIDTH == 1
#define HH_ROW_PANELS 1
#elif defined(__wasm__)
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
} linear_call;

HH_INLINE linear_call linear_arguments(const hh_call *call) {
  const hh_word *a = call->arguments;
  return (linear_call){address(a[0]), address(a[1]), address(a[2]), address(a[3]), a[4], a[5]};
}

/* Where the sums of a row and panel start: from the bias, or from what an earlier stretch left in y. */
HH_INLINE f32x16 linear_start(const linear_call *l, int64_t row, int64_t panel, int64_t k) {
  const int64_t first = panel * HH_LANES, count = l->out - first;
  if (k > 0) return load_some(l->y + row * l->out + first, count);
  return l->bias ? load_some(l->bias + first, count) : splat16(0.0f);
}
#endif

HH_INLINE void LINEAR_NAME(tile)(const linear_call *l, int64_t row, int64_t panel, int64_t from, int64_t to,
                                 const int rows, const int panels) {
  const LINEAR_ELEMENT *w = (const LINEAR_ELEMENT *)l->weights + panel * l->in * HH_LANES;
  const float *x = l->x + row * l->in;
  f32x16 sum[6][8];
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int p = 0; p < panels; p++) sum[r][p] = linear_start(l, row + r, panel + p, from);
  for (int64_t k = from; k < to; k++) {
    f32x16 weights[8];
    HH_UNROLL for (int p = 0; p < panels; p++) weights[p] = LINEAR_LOAD(w + (p * l->in + k) * HH_LANES);
    HH_UNROLL for (int r = 0; r < rows; r++) {
      const f32x16 value = splat16(x[r * l->in + k]);
      HH_UNROLL for (int p = 0; p < panels; p++) sum[r][p] = fma16(value, weights[p], sum[r][p]);
    }
  }
  HH_UNROLL for (int r = 0; r < rows; r++)
    HH_UNROLL for (int p = 0; p < panels; p++)
      store_some(l->y + (row + r) * l->out + (panel + p) * HH_LANES, sum[r][p], l->out - (panel + p) * HH_LANES);
}

/* Tiles of 1 to HH_TILE_ROWS rows, so that the number of rows is a constant in each. */
HH_INLINE void LINEAR_NAME(rows)(const linear_call *l, int64_t row, int64_t rows, int64_t panel, int64_t from,
                                 int64_t to, const int panels) {
  switch (rows) {
    case 1: LINEAR_NAME(tile)(l, row, panel, from, to, 1, panels); break;
#if HH_TILE_ROWS >= 3
    case 2: LINEAR_NAME(tile)(l, row, panel, from, to, 2, panels); break;
    case 3: LINEAR_NAME(tile)(l, row, panel, from, to, 3, panels); break;
#endif
#if HH_TILE_ROWS >= 6
    case 4: LINEAR_NAME(tile)(l, row, panel, from, to, 4, panels); break;
    case 5: LINEAR_NAME(tile)(l, row, panel, from, to, 5, panels); break;
    case 6: LINEAR_NAME(tile)(l, row, panel, from, to, 6, panels); break;
#endif
  }
}

HH_INLINE void LINEAR_NAME(panels)(const linear_call *l, int64_t rows, int64_t panel, const int panels) {
  const int64_t stretch = rows > HH_TILE_ROWS ? HH_STRETCH : l->in;
  for (int64_t from = 0; from < l->in; from += stretch) {
    const int64_t to = from + stretch < l->in ? from + stretch : l->in;
    for (int64_t row = 0; row < rows; row += HH_TILE_ROWS) {
      const int64_t left = rows - row;
      LINEAR_NAME(rows)(l, row, left < HH_TILE_ROWS ? left : HH_TILE_ROWS, panel, from, to, panels);
    }
  }
}

static void LINEAR_NAME(run)(const hh_call *call) {
  const linear_call l = linear_arguments(call);
  const int64_t panels = (l.out + HH_LANES - 1) / HH_LANES;
  const int64_t end = share_start(panels, call->share.index + 1, call->share.count);
  int64_t panel = share_start(panels, call->share.index, call->share.count);
  if (call->rows == 1)
    for (; panel + HH_ROW_PANELS <= end; panel += HH_ROW_PANELS)
      LINEAR_NAME(tile)(&l, 0, panel, 0, l.in, 1, HH_ROW_PANELS);
#if HH_TILE_PANELS > 1
  for (; panel + HH_TILE_PANELS <= end; panel += HH_TILE_PANELS)
    LINEAR_NAME(panels)(&l, call->rows, panel, HH_TILE_PANELS);
#endif
  for (; panel < end; panel++) LINEAR_NAME(panels)(&l, call->rows, panel, 1);
}

#undef LINEAR_NAME
#undef LINEAR_ELEMENT
#undef LINEAR_LOAD
