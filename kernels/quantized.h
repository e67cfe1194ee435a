/* Where things lie in packed quantized matrices and in quantized rows; see hitherto.h. */
#ifndef HH_QUANTIZED_H
#define HH_QUANTIZED_H

#include "hitherto.h"

static inline int64_t hh_padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

/* Groups of a row: as many as bring them nearest to 256 elements, in whole blocks, as even as can be. */
static inline int64_t hh_group_count(int64_t in) { return in < 384 ? 1 : (in + 128) / 256; }
/* Blocks of a group, at most. */
#define HH_GROUP_BLOCKS 12
/* The first block of a group; of the group after the last: the number of blocks. */
static inline int64_t hh_group_start(int64_t in, int64_t group) {
  return in / HH_BLOCK * group / hh_group_count(in);
}

/* Bytes of one panel: of a multiplier, of all scales and multipliers, of the values of one block in all 16 lanes. */
static inline int64_t hh_multiplier_bytes(int64_t storage) { return storage == HH_Q8_0 ? 1 : 2; }
static inline int64_t hh_scale_bytes(int64_t storage, int64_t in) {
  return hh_padded(HH_LANES * (4 * hh_group_count(in) + in / HH_BLOCK * hh_multiplier_bytes(storage)));
}
static inline int64_t hh_block_bytes(int64_t storage) { return storage == HH_Q8_0 ? 32 * HH_LANES : 16 * HH_LANES; }

/* Bytes of 256 elements in all 16 lanes: of Q4_K everything, of Q6_K all but d. */
#define HH_Q4_K_BYTES ((2 + 2 + 8 + 8 + 128) * HH_LANES)
#define HH_Q6_K_BYTES ((16 + 64 + 128) * HH_LANES)
/* Bytes at the start of a panel: d of Q6_K, the exponents of MXFP4. */
static inline int64_t hh_q6_k_scale_bytes(int64_t in) { return hh_padded(in / 256 * HH_LANES * 2); }
static inline int64_t hh_mxfp4_scale_bytes(int64_t in) { return hh_padded(in / HH_BLOCK * HH_LANES); }

static inline int64_t hh_panel_bytes(int64_t storage, int64_t in) {
  switch (storage) {
    case HH_Q4_K: return in / 256 * HH_Q4_K_BYTES;
    case HH_Q6_K: return hh_q6_k_scale_bytes(in) + in / 256 * HH_Q6_K_BYTES;
    case HH_MXFP4: return hh_mxfp4_scale_bytes(in) + in / HH_BLOCK * 16 * HH_LANES;
    default: return hh_scale_bytes(storage, in) + in / HH_BLOCK * hh_block_bytes(storage);
  }
}

/* The largest multiplier of a block: products with its weights fit in 16 bits, a group's sum in 32. */
static inline int hh_largest_multiplier(int64_t storage) { return storage == HH_Q8_0 ? 255 : 4095; }

/* Bytes kept for an activation, and of a quantized row of them. */
#define HH_ACTIVATION_BYTES 2
static inline int64_t hh_quantized_bytes(int64_t in) {
  return hh_padded(in * HH_ACTIVATION_BYTES + 4 * (hh_group_count(in) + in / HH_BLOCK * 2));
}

#endif
