/* The runtime's needs on Linux and other POSIX systems: memory, threads, and which instruction sets there are. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "platform.h"

/* ------------------------------------------------------------------ instruction sets */

/* A compiler may not know every set's flags: tools/native.ts then leaves the set out, and says so by HH_WITHOUT_<SET>. */
#define HH_DECLARE(isa) extern hh_operation *const hh_operations_##isa[HH_OPERATION_COUNT]
HH_DECLARE(scalar);
#if defined(__x86_64__)
#ifdef HH_WITHOUT_AVX2
#define hh_operations_avx2 NULL
#else
HH_DECLARE(avx2);
#endif
#ifdef HH_WITHOUT_AVX512
#define hh_operations_avx512 NULL
#else
HH_DECLARE(avx512);
#endif
#ifdef HH_WITHOUT_AVX512_VNNI
#define hh_operations_avx512_vnni NULL
#else
HH_DECLARE(avx512_vnni);
#endif
#ifdef HH_WITHOUT_AMX
#define hh_operations_amx NULL
#else
HH_DECLARE(amx);
#endif

/* Whether the processor has tiles, and the system lets this process use them: it has to be asked. */
static int amx_granted(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  const unsigned wanted = 1u << 22 | 1u << 24 | 1u << 25; /* AMX-BF16, AMX-TILE, AMX-INT8 */
  if ((d & wanted) != wanted) return 0;
#if defined(__linux__)
  const int request_permission = 0x1023, tile_data = 18; /* ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA */
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return 0;
#endif
}

/* The two that older compilers' __builtin_cpu_supports has no name for, read from the processor. */
static int has_f16c(void) {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && c >> 29 & 1;
}
static int has_avx512_bf16(void) {
  unsigned a, b, c, d;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && a >> 5 & 1;
}

/* What the processor has and the system grants, compiled or not. */
static uint32_t sets_of_processor(void) {
  uint32_t sets = 1u << HH_SCALAR;
  const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  const int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                     __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (avx2) sets |= 1u << HH_AVX2;
  if (avx512) sets |= 1u << HH_AVX512;
  const int vnni = avx512 && __builtin_cpu_supports("avx512vnni");
  if (vnni) sets |= 1u << HH_AVX512_VNNI;
  if (vnni && has_avx512_bf16() && amx_granted()) sets |= 1u << HH_AMX;
  return sets;
}

static hh_operation *const *const tables[HH_INSTRUCTION_SET_COUNT] = {
    [HH_SCALAR] = hh_operations_scalar,
    [HH_AVX2] = hh_operations_avx2,
    [HH_AVX512] = hh_operations_avx512,
    [HH_AVX512_VNNI] = hh_operations_avx512_vnni,
    [HH_AMX] = hh_operations_amx,
};
#elif defined(__aarch64__)
HH_DECLARE(neon);

static uint32_t sets_of_processor(void) { return 1u << HH_SCALAR | 1u << HH_NEON; }

static hh_operation *const *const tables[HH_INSTRUCTION_SET_COUNT] = {
    [HH_SCALAR] = hh_operations_scalar,
    [HH_NEON] = hh_operations_neon,
};
#else
static uint32_t sets_of_processor(void) { return 1u << HH_SCALAR; }

static hh_operation *const *const tables[HH_INSTRUCTION_SET_COUNT] = {[HH_SCALAR] = hh_operations_scalar};
#endif

uint32_t hh_instruction_sets(void) {
  uint32_t sets = sets_of_processor();
  for (int set = 0; set < HH_INSTRUCTION_SET_COUNT; set++)
    if (tables[set] == NULL) sets &= ~(1u << set);
  return sets;
}

hh_operation *const *hh_operations_of(int32_t instruction_set) {
  if (instruction_set < 0 || instruction_set >= HH_INSTRUCTION_SET_COUNT) return NULL;
  return hh_instruction_sets() >> instruction_set & 1 ? tables[instruction_set] : NULL;
}

/* ------------------------------------------------------------------ memory */

#define HH_MAPPED 65536          /* blocks from this size on have pages of their own */
#define HH_HUGE_PAGE (2u << 20)  /* blocks of several of these ask for them */

static size_t padded(size_t bytes) { return (bytes + HH_READABLE_TAIL + 63) / 64 * 64; }

void *hh_allocate(size_t bytes) {
  if (bytes > SIZE_MAX / 2) return NULL;
  if (bytes < HH_MAPPED) {
    void *memory = NULL;
    if (posix_memalign(&memory, 64, padded(bytes)) != 0) return NULL;
    return memset(memory, 0, padded(bytes));
  }
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif
  void *memory = mmap(NULL, padded(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return NULL;
  return memory;
}

void hh_prefer_large_pages(void *memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
  if (bytes >= 2 * HH_HUGE_PAGE) madvise(memory, padded(bytes), MADV_HUGEPAGE);
#else
  (void)memory, (void)bytes;
#endif
}

void hh_release(void *memory, size_t bytes) {
  if (bytes < HH_MAPPED) free(memory);
  else munmap(memory, padded(bytes));
}

/* ------------------------------------------------------------------ threads */

struct hh_thread {
  pthread_t thread;
  void (*body)(void *);
  void *context;
};

static void *thread_main(void *argument) {
  hh_thread *thread = argument;
  thread->body(thread->context);
  return NULL;
}

hh_thread *hh_thread_start(void (*body)(void *), void *context) {
  hh_thread *thread = malloc(sizeof(hh_thread));
  if (thread == NULL) return NULL;
  *thread = (hh_thread){.body = body, .context = context};
  if (pthread_create(&thread->thread, NULL, thread_main, thread) == 0) return thread;
  free(thread);
  return NULL;
}

void hh_thread_join(hh_thread *thread) {
  pthread_join(thread->thread, NULL);
  free(thread);
}

#if defined(__linux__)
#include <linux/futex.h>

void hh_wait(int32_t *word, int32_t expected) { syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0); }
void hh_wake(int32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0); }
#else
/* One lock for all words: whoever sleeps here has already spun, so it is seldom taken. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

void hh_wait(int32_t *word, int32_t expected) {
  pthread_mutex_lock(&lock);
  if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == expected) pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
}

void hh_wake(int32_t *word) {
  (void)word;
  pthread_mutex_lock(&lock);
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}
#endif

void hh_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
}

int64_t hh_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
