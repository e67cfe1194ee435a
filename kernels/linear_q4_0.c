/* Linear map by a matrix of 4-bit blocks; see linear_quantized.h. A block's sum fits in 16 bits: 32 * 8 * 127. */
#define QUANTIZED_NAME(name) linear_q4_0_##name
#define QUANTIZED_ID HH_Q4_0
#define QUANTIZED_STORAGE 4
#define QUANTIZED_OFFSET_SHIFT 4
#define QUANTIZED_ADD_PRODUCT(total, dot, multiplier) add_short_product(total, dot, multiplier)
#define QUANTIZED_AMX_UNPACK amx_unpack_q4_0
#include "linear_quantized.h"
