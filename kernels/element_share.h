/* A share of an operation that treats every element alone: a stretch of whole lanes. */
#ifndef HH_ELEMENT_SHARE_H
#define HH_ELEMENT_SHARE_H

#include "lanes.h"

typedef struct {
  int64_t begin, end, total;
} element_share;

HH_INLINE element_share element_share_of(const hh_call *call, int64_t total) {
  const int64_t units = (total + HH_LANES - 1) / HH_LANES;
  const int64_t begin = share_start(units, call->share.index, call->share.count) * HH_LANES;
  return (element_share){begin, share_start(units, call->share.index + 1, call->share.count) * HH_LANES, total};
}

/* For each sixteen elements: `i`, the first, and `left`, how many there are from it on. */
#define EACH_ELEMENT(...)                             \
  for (element_share of_ = __VA_ARGS__; of_.begin < of_.end; of_.begin = of_.end) \
    for (int64_t i = of_.begin, left; left = of_.total - i, i < of_.end; i += HH_LANES)

#endif
