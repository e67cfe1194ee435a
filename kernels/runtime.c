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
      hh_call call = {plan + 2, live, rows, {0, 1}, 0, runtime->threads, 0, 0};
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

/* Packs a share of the rows: whole panels of the matrix, so that no two threads write to one. */
static void pack_share(const hh_call *call) {
  const hh_word *a = call->arguments;
  const int64_t out = a[3], in = a[4], first = a[5], end = first + a[6], bytes = a[7];
  const int64_t panel = first / HH_LANES, panels = (end + HH_LANES - 1) / HH_LANES - panel;
  int64_t from = (panel + panels * call->share.index / call->share.count) * HH_LANES;
  int64_t to = (panel + panels * (call->share.index + 1) / call->share.count) * HH_LANES;
  if (from < first) from = first;
  if (to > end) to = end;
  if (from >= to) return;
  const char *rows = (const char *)(intptr_t)a[1] + (from - first) * bytes;
  hh_pack_rows((void *)(intptr_t)a[0], rows, (int32_t)a[2], out, in, from, to - from);
}

void hh_pack(hh_runtime *runtime, void *matrix, const void *rows, int32_t storage, int64_t out, int64_t in,
             int64_t first, int64_t count) {
  const hh_word arguments[] = {(hh_word)(intptr_t)matrix, (hh_word)(intptr_t)rows, storage, out, in, first, count,
                               hh_stored_row_bytes(storage, in)};
  const hh_call call = {arguments, NULL, (int32_t)count, {0, 1}, 0, runtime->threads, 0, 0};
  if (count <= 0) return;
  if (runtime->threads == 1) pack_share(&call);
  else hh_pool_run(runtime->pool, pack_share, &call, runtime->threads * HH_SHARES_PER_THREAD);
}
