/* What it costs to hand a job to the thread pool and have all of it back: nanoseconds for each, at several threads.
 *
 *   cc -O3 -pthread -I kernels -o /tmp/barrier bench/barrier.c kernels/pool.c kernels/native.c -lm && /tmp/barrier 2
 *
 * Jobs do nothing, or work for about a microsecond per share; the second shows what handing over adds to work. */
#include <stdio.h>
#include <stdlib.h>

#include "platform.h"
#include "pool.h"

/* native.c asks for a table of operations per instruction set; none is called here. */
#define NO_OPERATIONS(isa) hh_operation *const hh_operations_##isa[HH_OPERATION_COUNT]
NO_OPERATIONS(scalar);
#if defined(__x86_64__)
NO_OPERATIONS(avx2);
NO_OPERATIONS(avx512);
NO_OPERATIONS(avx512_vnni);
#elif defined(__aarch64__)
NO_OPERATIONS(neon);
#endif

enum { JOBS = 2000, ROUNDS = 200 };

static void nothing(const hh_call *call) { (void)call; }

/* A chain of `arguments[0]` multiplications. */
static void work(const hh_call *call) {
  volatile float result;
  float x = 1.0f;
  for (int64_t i = 0; i < call->arguments[0]; i++) x *= 1.0000001f;
  result = x;
  (void)result;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Nanoseconds for one job, over rounds of many. */
static void report(const char *name, hh_pool *pool, hh_operation *operation, int64_t length, int32_t shares) {
  static double times[ROUNDS];
  const hh_word arguments[] = {length};
  const hh_call call = {arguments, NULL, 1, {0, 1}, 0};
  for (int round = 0; round < ROUNDS; round++) {
    const int64_t start = hh_now();
    for (int job = 0; job < JOBS; job++) {
      if (pool == NULL) operation(&call);
      else hh_pool_run(pool, operation, &call, shares);
    }
    times[round] = (double)(hh_now() - start) / JOBS;
  }
  qsort(times, ROUNDS, sizeof times[0], ascending);
  printf("%-28s best %7.0f ns   median %7.0f ns\n", name, times[0], times[ROUNDS / 2]);
}

int main(int count, char **arguments) {
  const int32_t threads = count > 1 ? atoi(arguments[1]) : 2;
  hh_pool *pool = hh_pool_create(threads);
  if (pool == NULL) return 1;
  report("empty, caller alone", NULL, nothing, 0, 1);
  report("empty, a share each", pool, nothing, 0, threads);
  report("empty, 8 shares each", pool, nothing, 0, 8 * threads);
  report("work, caller alone", NULL, work, 1000, 1);
  report("work, a share each", pool, work, 1000, threads);
  hh_pool_destroy(pool);
  return 0;
}
