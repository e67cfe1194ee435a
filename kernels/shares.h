/* Which part of an operation a call is to do: whole rows, whole chunks of rows, or a stretch of elements.
 *
 * An operation on rows may be called for some rows alone, as row_chain does; otherwise its share decides. */
#ifndef HH_SHARES_H
#define HH_SHARES_H

#include "lanes.h"

/* Rows whose sums are taken on their own, in order, before those of other rows are added (column_sums.c). */
#define HH_CHUNK_ROWS 32

HH_INLINE int64_t chunk_count(int64_t rows) { return (rows + HH_CHUNK_ROWS - 1) / HH_CHUNK_ROWS; }

typedef struct {
  int64_t first, end;
} row_range;

HH_INLINE row_range rows_of(const hh_call *call) {
  if (call->end_row > 0) return (row_range){call->first_row, call->end_row};
  return (row_range){share_start(call->rows, call->share.index, call->share.count),
                     share_start(call->rows, call->share.index + 1, call->share.count)};
}

/* Whole chunks, or rows that one thread is called for in order, chunk by chunk. */
HH_INLINE row_range chunk_rows_of(const hh_call *call) {
  if (call->end_row > 0) return (row_range){call->first_row, call->end_row};
  const int64_t chunks = chunk_count(call->rows);
  const int64_t first = share_start(chunks, call->share.index, call->share.count) * HH_CHUNK_ROWS;
  const int64_t end = share_start(chunks, call->share.index + 1, call->share.count) * HH_CHUNK_ROWS;
  return (row_range){first, end < call->rows ? end : call->rows};
}

typedef struct {
  int64_t begin, end, total;
} element_share;

/* Of `total` elements: a stretch of whole lanes. */
HH_INLINE element_share stretch_of(const hh_call *call, int64_t total) {
  const int64_t units = (total + HH_LANES - 1) / HH_LANES;
  return (element_share){share_start(units, call->share.index, call->share.count) * HH_LANES,
                         share_start(units, call->share.index + 1, call->share.count) * HH_LANES, total};
}

/* Of rows of `width`: those that the call is for, else a stretch of whole lanes. */
HH_INLINE element_share elements_of(const hh_call *call, int64_t width) {
  if (call->end_row > 0)
    return (element_share){call->first_row * width, call->end_row * width, call->end_row * width};
  return stretch_of(call, call->rows * width);
}

/* For each sixteen elements: `i`, the first, and `left`, how many there are from it on. */
#define EACH_ELEMENT(...)                             \
  for (element_share of_ = __VA_ARGS__; of_.begin < of_.end; of_.begin = of_.end) \
    for (int64_t i = of_.begin, left; left = of_.total - i, i < of_.end; i += HH_LANES)

#endif
