/* Linear map by a matrix of 4-bit blocks; see linear_quantized.h. */
#define QUANTIZED_NAME(name) linear_q4_0_##name
#define QUANTIZED_STORAGE 4
#define QUANTIZED_OFFSET_SHIFT 4
#include "linear_quantized.h"
