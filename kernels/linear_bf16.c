/* Linear map by a matrix of bfloat16, turned into float32 as they are read; see linear_float.h. */
#define LINEAR_NAME(name) linear_bf16_##name
#define LINEAR_ELEMENT uint16_t
#define LINEAR_LOAD(from) load_bfloats(from)
#define LINEAR_UNPACK
#include "linear_float.h"
