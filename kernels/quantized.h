/* Where things lie in packed quantized matrices and in quantized rows; see hitherto.h. */
#ifndef HH_QUANTIZED_H
#define HH_QUANTIZED_H

#include "hitherto.h"

static inline int64_t hh_padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

/* Bytes of the scales of one panel, and of the values of one group of 32 in all 16 lanes. */
static inline int64_t hh_scale_bytes(int64_t in) { return hh_padded(in / HH_BLOCK * HH_LANES * 2); }
static inline int64_t hh_group_bytes(int64_t storage) { return storage == HH_Q8_0 ? 32 * HH_LANES : 16 * HH_LANES; }
static inline int64_t hh_panel_bytes(int64_t storage, int64_t in) {
  return hh_scale_bytes(in) + in / HH_BLOCK * hh_group_bytes(storage);
}

/* Bytes kept for an activation, and of a quantized row of them. */
#define HH_ACTIVATION_BYTES 2
static inline int64_t hh_quantized_bytes(int64_t in) {
  return hh_padded(in * HH_ACTIVATION_BYTES + in / HH_BLOCK * 8);
}

#endif
