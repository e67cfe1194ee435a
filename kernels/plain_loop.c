/* A linear map as anybody would write it, compiled the same way for every instruction set (tools/sources.ts): the
 * yardstick of bench/instruction-sets.ts, which asks how many times faster the kernels are. A sum of floats keeps its
 * order, so no compiler makes vectors of it.
 *
 * Arguments: 0 y (rows, out), 1 x (rows, in), 2 W (out, in), 3 out, 4 in. Not split: one share does it all. */
#include "platform.h"

void hh_plain_loop(const hh_call *call) {
  float *y = (float *)(intptr_t)call->arguments[0];
  const float *x = (const float *)(intptr_t)call->arguments[1], *w = (const float *)(intptr_t)call->arguments[2];
  const int64_t out = call->arguments[3], in = call->arguments[4];
  if (call->share.index > 0) return;
  for (int64_t row = 0; row < call->rows; row++) {
    for (int64_t o = 0; o < out; o++) {
      float sum = 0;
      for (int64_t i = 0; i < in; i++) sum += w[o * in + i] * x[row * in + i];
      y[row * out + o] = sum;
    }
  }
}
