/* What the runtime needs of a WebAssembly host: memory that grows, threads that are instances of this module over one
 * shared memory, and a clock.
 *
 * A thread cannot be started from inside a module. The host starts its workers first, each with a stack of its own,
 * and has each call hh_thread_main, where it waits to be given a body. */
#include "platform.h"

/* ------------------------------------------------------------------ the one instruction set of this module */

#if defined(HH_ISA_RELAXED_SIGNED_DOT)
#define THIS_SET HH_RELAXED_SIGNED_DOT
#elif defined(HH_ISA_RELAXED_DOT)
#define THIS_SET HH_RELAXED_DOT
#elif defined(HH_ISA_RELAXED_SIMD)
#define THIS_SET HH_RELAXED_SIMD
#else
#define THIS_SET HH_SIMD128
#endif
#define HH_TABLE_OF(isa) hh_operations_##isa
#define HH_TABLE(isa) HH_TABLE_OF(isa)
#define THIS_TABLE HH_TABLE(HH_ISA)
extern hh_operation *const THIS_TABLE[HH_OPERATION_COUNT];

uint32_t hh_instruction_sets(void) { return 1u << THIS_SET; }
hh_operation *const *hh_operations_of(int32_t set) { return set == THIS_SET ? THIS_TABLE : NULL; }

/* ------------------------------------------------------------------ what the host gives */

/* Milliseconds from some fixed moment. */
__attribute__((import_module("host"), import_name("now"))) double host_now(void);
/* Whether the calling thread may sleep: a browser's main thread may not. */
__attribute__((import_module("host"), import_name("may_sleep"))) int32_t host_may_sleep(void);

/* ------------------------------------------------------------------ memory */

/* Compilers make calls of these. */
void *memcpy(void *to, const void *from, size_t bytes) { return __builtin_memcpy(to, from, bytes); }
void *memmove(void *to, const void *from, size_t bytes) { return __builtin_memmove(to, from, bytes); }
void *memset(void *to, int value, size_t bytes) { return __builtin_memset(to, value, bytes); }

#define PAGE 65536u

extern unsigned char __heap_base;

/* Memory that was given back, by address; neighbours are always joined. */
typedef struct gap {
  size_t bytes;
  struct gap *next;
} gap;
static gap *gaps;
static uintptr_t heap_end; /* all memory from here on was never used, hence is zero */

/* Held for a moment only, so spinning is right, on a browser's main thread too. */
static int32_t heap_lock;
static void lock_heap(void) {
  while (__atomic_exchange_n(&heap_lock, 1, __ATOMIC_ACQUIRE)) hh_pause();
}
static void unlock_heap(void) { __atomic_store_n(&heap_lock, 0, __ATOMIC_RELEASE); }

static uint64_t block_bytes(size_t bytes) { return ((uint64_t)bytes + HH_READABLE_TAIL + 63) / 64 * 64; }

static void *take_gap(uint64_t bytes) {
  for (gap **link = &gaps; *link; link = &(*link)->next) {
    gap *found = *link;
    if (found->bytes < bytes) continue;
    if (found->bytes == bytes) {
      *link = found->next;
    } else {
      gap *rest = (gap *)((char *)found + bytes);
      *rest = (gap){found->bytes - bytes, found->next};
      *link = rest;
    }
    return found;
  }
  return NULL;
}

static void *take_new(uint64_t size) {
  if (heap_end == 0) heap_end = ((uintptr_t)&__heap_base + 63) / 64 * 64;
  const uint64_t end = heap_end + size, held = (uint64_t)__builtin_wasm_memory_size(0) * PAGE;
  if (end > UINT32_MAX) return NULL;
  if (end > held && __builtin_wasm_memory_grow(0, (end - held + PAGE - 1) / PAGE) == (size_t)-1) return NULL;
  void *memory = (void *)heap_end;
  heap_end = (uintptr_t)end;
  return memory;
}

void *hh_allocate(size_t bytes) {
  const uint64_t size = block_bytes(bytes);
  lock_heap();
  void *reused = take_gap(size), *memory = reused ? reused : take_new(size);
  unlock_heap();
  return reused ? memset(reused, 0, size) : memory;
}

static void join_next(gap *block) {
  gap *next = block->next;
  if (next && (char *)block + block->bytes == (char *)next) *block = (gap){block->bytes + next->bytes, next->next};
}

static void give_gap(gap *freed, uint64_t bytes) {
  gap *before = NULL, *after = gaps;
  while (after && after < freed) before = after, after = after->next;
  *freed = (gap){bytes, after};
  join_next(freed);
  if (before) {
    before->next = freed;
    join_next(before);
  } else {
    gaps = freed;
  }
}

void hh_release(void *memory, size_t bytes) {
  if (!memory) return;
  lock_heap();
  give_gap(memory, block_bytes(bytes));
  unlock_heap();
}

/* ------------------------------------------------------------------ threads */

#define MAX_THREADS 64

enum { FREE, BUSY };

struct hh_thread {
  int32_t state;
  void (*body)(void *);
  void *context;
};
static hh_thread threads[MAX_THREADS];
static int32_t threads_offered;

/* Called by the host: workers 0 ... count - 1 are about to enter hh_thread_main, or have. */
void hh_offer_threads(int32_t count) { threads_offered = count < MAX_THREADS ? count : MAX_THREADS; }

/* A worker's whole life, ended by the host. */
void hh_thread_main(int32_t index) {
  hh_thread *self = &threads[index];
  for (;;) {
    while (__atomic_load_n(&self->state, __ATOMIC_ACQUIRE) == FREE) hh_wait(&self->state, FREE);
    self->body(self->context);
    __atomic_store_n(&self->state, FREE, __ATOMIC_RELEASE);
    hh_wake(&self->state);
  }
}

hh_thread *hh_thread_start(void (*body)(void *), void *context) {
  for (hh_thread *each = threads; each < threads + threads_offered; each++) {
    if (__atomic_load_n(&each->state, __ATOMIC_ACQUIRE) != FREE) continue;
    each->body = body;
    each->context = context;
    __atomic_store_n(&each->state, BUSY, __ATOMIC_RELEASE);
    hh_wake(&each->state);
    return each;
  }
  return NULL;
}

void hh_thread_join(hh_thread *thread) {
  while (__atomic_load_n(&thread->state, __ATOMIC_ACQUIRE) == BUSY) hh_wait(&thread->state, BUSY);
}

/* These two are never inlined: the baseline compiler of V8 11.3 (Node 20) spills the address of an atomic wait as eight
 * bytes over a slot of four, so that a local beside it is lost. Here nothing is used afterwards. */
__attribute__((noinline)) void hh_wait(int32_t *word, int32_t expected) {
  if (host_may_sleep()) __builtin_wasm_memory_atomic_wait32(word, expected, -1);
}

__attribute__((noinline)) void hh_wake(int32_t *word) { __builtin_wasm_memory_atomic_notify(word, UINT32_MAX); }

void hh_pause(void) {}

int64_t hh_now(void) { return (int64_t)(host_now() * 1e6); }
