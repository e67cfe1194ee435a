/* The thread pool.
 *
 * Shares are taken by adding 1 to a ticket: { job number, shares of the job, next share }, 64 bits. The caller takes
 * shares too and never waits for a thread that has taken none, so a thread that the system has put aside costs
 * nothing but its help. Between jobs threads spin for a while, then sleep.
 *
 * A job costs what it takes to move cache lines from core to core, so few move: the job lies beside its ticket, the
 * caller's first share is its own from the start, and only the other threads count the shares that they have done. */
#include "pool.h"

#include <stddef.h>

#include "platform.h"

/* How long (nanoseconds) a thread spins for the next job before it sleeps. */
#define HH_SPIN 40000

struct hh_pool {
  /* On cache lines of their own: what threads spin on, and what they count in. */
  _Alignas(64) uint64_t ticket;
  hh_operation *operation;
  hh_call call;
  _Alignas(64) int32_t helped; /* shares that threads other than the caller have done, ever; wraps around */
  int32_t caller_sleeps;
  _Alignas(64) int32_t bell; /* rung for sleeping threads */
  int32_t sleepers;
  int32_t stopping;
  int32_t threads;
  hh_thread *workers[64];
};
_Static_assert(offsetof(struct hh_pool, helped) == 64, "a job and its ticket are to share a cache line");

typedef struct {
  hh_pool *pool;
  int32_t thread;
} worker_context;

static uint64_t ticket_of(uint32_t job, int32_t shares, int32_t next) {
  return (uint64_t)job << 32 | (uint64_t)shares << 16 | (uint64_t)next;
}
static int has_shares(uint64_t ticket) { return (ticket & 0xffff) < (ticket >> 16 & 0xffff); }

/* Takes the next share of the current job and does it; 0 when none is left. */
static int take_share(hh_pool *pool, int32_t thread) {
  if (!has_shares(__atomic_load_n(&pool->ticket, __ATOMIC_ACQUIRE))) return 0;
  const uint64_t mine = __atomic_fetch_add(&pool->ticket, 1, __ATOMIC_ACQ_REL);
  if (!has_shares(mine)) return 0;
  /* The job cannot end while a share of it is ours, so these stay what they are. */
  hh_call call = pool->call;
  call.share.index = (int32_t)(mine & 0xffff);
  call.share.count = (int32_t)(mine >> 16 & 0xffff);
  call.thread = thread;
  pool->operation(&call);
  return 1;
}

static void help(hh_pool *pool, int32_t thread) {
  while (take_share(pool, thread)) {
    __atomic_add_fetch(&pool->helped, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&pool->caller_sleeps, __ATOMIC_SEQ_CST)) hh_wake(&pool->helped);
  }
}

/* Waits for a job: 1 when there is one, 0 when the time for spinning is over. */
static int spin_for_job(hh_pool *pool) {
  const int64_t until = hh_now() + HH_SPIN;
  do {
    for (int i = 0; i < 64; i++) {
      if (has_shares(__atomic_load_n(&pool->ticket, __ATOMIC_ACQUIRE))) return 1;
      if (__atomic_load_n(&pool->stopping, __ATOMIC_RELAXED)) return 1;
      hh_pause();
    }
  } while (hh_now() < until);
  return 0;
}

static void sleep_for_job(hh_pool *pool) {
  const int32_t bell = __atomic_load_n(&pool->bell, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&pool->sleepers, 1, __ATOMIC_SEQ_CST);
  if (!has_shares(__atomic_load_n(&pool->ticket, __ATOMIC_SEQ_CST)) && !__atomic_load_n(&pool->stopping, __ATOMIC_SEQ_CST))
    hh_wait(&pool->bell, bell);
  __atomic_sub_fetch(&pool->sleepers, 1, __ATOMIC_SEQ_CST);
}

static void ring(hh_pool *pool) {
  if (__atomic_load_n(&pool->sleepers, __ATOMIC_SEQ_CST) == 0) return;
  __atomic_add_fetch(&pool->bell, 1, __ATOMIC_SEQ_CST);
  hh_wake(&pool->bell);
}

static void worker(void *context) {
  hh_pool *pool = ((worker_context *)context)->pool;
  const int32_t thread = ((worker_context *)context)->thread;
  hh_release(context, sizeof(worker_context));
  while (!__atomic_load_n(&pool->stopping, __ATOMIC_ACQUIRE)) {
    if (spin_for_job(pool)) help(pool, thread);
    else sleep_for_job(pool);
  }
}

hh_pool *hh_pool_create(int32_t threads) {
  if (threads > 64) return NULL;
  hh_pool *pool = hh_allocate(sizeof(hh_pool));
  if (pool == NULL) return NULL;
  for (pool->threads = 1; pool->threads < threads; pool->threads++) {
    worker_context *context = hh_allocate(sizeof(worker_context));
    if (context == NULL) break;
    *context = (worker_context){pool, pool->threads};
    pool->workers[pool->threads] = hh_thread_start(worker, context);
    if (pool->workers[pool->threads] == NULL) {
      hh_release(context, sizeof(worker_context));
      break;
    }
  }
  if (pool->threads == threads) return pool;
  hh_pool_destroy(pool);
  return NULL;
}

void hh_pool_destroy(hh_pool *pool) {
  __atomic_store_n(&pool->stopping, 1, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&pool->bell, 1, __ATOMIC_SEQ_CST);
  hh_wake(&pool->bell);
  for (int32_t i = 1; i < pool->threads; i++) hh_thread_join(pool->workers[i]);
  hh_release(pool, sizeof(hh_pool));
}

/* Waits until other threads have done so many shares in all. */
static void wait_for_help(hh_pool *pool, int32_t helped) {
  int64_t until = 0;
  for (;;) {
    for (int i = 0; i < 64; i++) {
      if (__atomic_load_n(&pool->helped, __ATOMIC_ACQUIRE) == helped) return;
      hh_pause();
    }
    const int64_t now = hh_now();
    if (until == 0) until = now + HH_SPIN;
    if (now > until) break;
  }
  __atomic_store_n(&pool->caller_sleeps, 1, __ATOMIC_SEQ_CST);
  for (int32_t seen; (seen = __atomic_load_n(&pool->helped, __ATOMIC_SEQ_CST)) != helped;) hh_wait(&pool->helped, seen);
  __atomic_store_n(&pool->caller_sleeps, 0, __ATOMIC_SEQ_CST);
}

void hh_pool_run(hh_pool *pool, hh_operation *operation, const hh_call *call, int32_t shares) {
  const uint32_t job = (uint32_t)(__atomic_load_n(&pool->ticket, __ATOMIC_RELAXED) >> 32) + 1;
  /* Nobody holds a share of the last job, so nobody adds to this meanwhile. */
  const uint32_t helped = (uint32_t)__atomic_load_n(&pool->helped, __ATOMIC_RELAXED);
  pool->operation = operation;
  pool->call = *call;
  __atomic_store_n(&pool->ticket, ticket_of(job, shares, 1), __ATOMIC_SEQ_CST);
  ring(pool);
  hh_call first = *call;
  first.share = (hh_share){0, shares};
  first.thread = 0;
  operation(&first);
  uint32_t own = 1;
  while (take_share(pool, 0)) own++;
  wait_for_help(pool, (int32_t)(helped + (uint32_t)shares - own));
}
