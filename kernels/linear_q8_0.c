/* Linear map by a matrix of 8-bit blocks; see linear_quantized.h. */
#define QUANTIZED_NAME(name) linear_q8_0_##name
#define QUANTIZED_ID HH_Q8_0
#define QUANTIZED_STORAGE 8
#define QUANTIZED_OFFSET_SHIFT 0
#define QUANTIZED_ADD_PRODUCT(total, dot, multiplier) add_int(total, mul_int(dot, multiplier))
#define QUANTIZED_AMX_UNPACK amx_unpack_q8_0
#include "linear_quantized.h"
