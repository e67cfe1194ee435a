/* The interpreter of plans: instructions one after the other, each given to as many threads as it is worth. */
#include <string.h>

#include "platform.h"
#include "pool.h"

/* An instruction that one thread does in less than this (nanoseconds) is not worth another thread. */
#define HH_ALONE 5000
/* Shares are about this long or longer, so that a thread that is held up holds up little. */
#define HH_SHARE 12000
#define HH_SHARES_PER_THREAD 8

struct hh_runtime {
  hh_operation *const *operations;
  hh_pool *pool;
  int32_t threads;
};

hh_runtime *hh_create(int32_t threads, int32_t instruction_set) {
  hh_operation *const *operations = hh_operations_of(instruction_set);
  if (operations == NULL || threads < 1) return NULL;
  hh_runtime *runtime = hh_allocate(sizeof(hh_runtime));
  if (runtime == NULL) return NULL;
  runtime->operations = operations;
  runtime->threads = threads;
  if (threads > 1) {
    runtime->pool = hh_pool_create(threads);
    if (runtime->pool == NULL) {
      hh_release(runtime, sizeof(hh_runtime));
      return NULL;
    }
  }
  return runtime;
}

void hh_destroy(hh_runtime *runtime) {
  if (runtime->pool != NULL) hh_pool_destroy(runtime->pool);
  hh_release(runtime, sizeof(hh_runtime));
}

/* Into how many shares an instruction of so many nanoseconds is divided: a multiple of the threads, or 1. */
static int32_t share_count(const hh_runtime *runtime, int64_t cost) {
  if (runtime->threads == 1 || cost < HH_ALONE) return 1;
  int64_t each = cost / runtime->threads / HH_SHARE;
  if (each < 1) each = 1;
  if (each > HH_SHARES_PER_THREAD) each = HH_SHARES_PER_THREAD;
  return (int32_t)(each * runtime->threads);
}

void hh_run(hh_runtime *runtime, const hh_word *plan, int64_t words, const int32_t *live, int64_t *times) {
  const hh_word *end = plan + words;
  for (int64_t index = 0; plan < end; index++) {
    hh_instruction instruction;
    memcpy(&instruction, plan, sizeof instruction);
    const int32_t rows = instruction.rows >= 0 ? instruction.rows : live[~instruction.rows];
    if (rows > 0) {
      hh_operation *const operation = runtime->operations[instruction.operation];
      hh_call call = {plan + 2, live, rows, {0, 1}, 0};
      const int64_t cost = (int64_t)rows * instruction.row_cost;
      const int32_t shares = share_count(runtime, cost);
      const int64_t start = times == NULL ? 0 : hh_now();
      if (shares == 1) operation(&call);
      else hh_pool_run(runtime->pool, operation, &call, shares);
      if (times != NULL) times[index] += hh_now() - start;
    }
    plan += 2 + instruction.argument_count;
  }
}
