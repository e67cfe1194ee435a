/* Linear map by a float32 matrix; see linear_float.h. */
#define LINEAR_NAME(name) linear_f32_##name
#define LINEAR_ELEMENT float
#define LINEAR_LOAD(from) load16(from)
#include "linear_float.h"
