/* How a linear map by a matrix of blocks is divided: tiles of rows x panels, each over a stretch of groups; sums are put
 * down in y between stretches. Which tiles there are never shows in the bits: a tile computes each output on its own.
 *
 * Included once per storage type after its tile, BLOCKS_NAME(tile)(call, row, panel, from, to, rows, panels, half),
 * which computes outputs over the groups [from, to). BLOCKS_AMX(call, rows, from, to) does the panels [from, to) of many rows
 * on AMX. BLOCKS_ROWS, BLOCKS_PANELS and BLOCKS_ROW_PANELS are the sizes of the largest tile and, in panels, of a tile of
 * one row. */

#ifndef HH_BLOCK_STRETCH
/* Groups of `in` that a tile crosses before the next rows take their turn. */
#define HH_BLOCK_STRETCH 3
#endif

#if defined(__wasm__)
#define BLOCKS_TILE(rows)                                      \
  BLOCKS_NAME(tile)(l, row, panel, from, to, rows, panels, 0); \
  BLOCKS_NAME(tile)(l, row, panel, from, to, rows, panels, 1)
#else
#define BLOCKS_TILE(rows) BLOCKS_NAME(tile)(l, row, panel, from, to, rows, panels, HH_WHOLE)
#endif

/* The number of rows is a constant in each tile. */
HH_INLINE void BLOCKS_NAME(rows)(const linear_call *l, int64_t row, int64_t rows, int64_t panel, int64_t from,
                                 int64_t to, const int panels) {
  switch (rows) {
    case 1: BLOCKS_NAME(tile)(l, row, panel, from, to, 1, panels, HH_WHOLE); break;
#if BLOCKS_ROWS >= 2
    case 2: BLOCKS_TILE(2); break;
#endif
#if BLOCKS_ROWS >= 4
    case 3: BLOCKS_TILE(3); break;
    case 4: BLOCKS_TILE(4); break;
#endif
#if BLOCKS_ROWS >= 6
    case 5: BLOCKS_TILE(5); break;
    case 6: BLOCKS_TILE(6); break;
#endif
#if BLOCKS_ROWS >= 8
    case 7: BLOCKS_TILE(7); break;
    case 8: BLOCKS_TILE(8); break;
#endif
  }
}
#undef BLOCKS_TILE

HH_INLINE void BLOCKS_NAME(panels)(const linear_call *l, int64_t rows, int64_t panel, const int panels) {
  const int64_t groups = hh_group_count(l->in), stretch = rows > BLOCKS_ROWS ? HH_BLOCK_STRETCH : groups;
  /* Tiles of one height: a low one would read as many weights for fewer rows. */
  const int64_t tiles = (rows + BLOCKS_ROWS - 1) / BLOCKS_ROWS, high = (rows + tiles - 1) / tiles;
  for (int64_t from = 0; from < groups; from += stretch) {
    const int64_t to = from + stretch < groups ? from + stretch : groups;
    for (int64_t row = 0; row < rows; row += high)
      BLOCKS_NAME(rows)(l, row, rows - row < high ? rows - row : high, panel, from, to, panels);
  }
}

static void BLOCKS_NAME(run)(const hh_call *call) {
  const linear_call l = linear_arguments(call);
  const int64_t panels = (l.out + HH_LANES - 1) / HH_LANES;
  const int64_t end = share_start(panels, call->share.index + 1, call->share.count);
  int64_t panel = share_start(panels, call->share.index, call->share.count);
#if defined(__AMX_INT8__)
  if (call->rows >= HH_AMX_MINIMUM_ROWS) {
    const hh_share mine = call->share;
    BLOCKS_AMX(&l, call->rows, amx_share(panels, mine.index, mine.count), amx_share(panels, mine.index + 1, mine.count));
    return;
  }
#endif
  if (call->rows == 1)
    for (; panel + BLOCKS_ROW_PANELS <= end; panel += BLOCKS_ROW_PANELS)
      BLOCKS_NAME(tile)(&l, 0, panel, 0, hh_group_count(l.in), 1, BLOCKS_ROW_PANELS, HH_WHOLE);
#if BLOCKS_PANELS > 1
  for (; panel + BLOCKS_PANELS <= end; panel += BLOCKS_PANELS)
    BLOCKS_NAME(panels)(&l, call->rows, panel, BLOCKS_PANELS);
#endif
  for (; panel < end; panel++) BLOCKS_NAME(panels)(&l, call->rows, panel, 1);
}

#undef BLOCKS_NAME
#undef BLOCKS_AMX
#undef BLOCKS_ROWS
#undef BLOCKS_PANELS
#undef BLOCKS_ROW_PANELS
