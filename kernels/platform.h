/* What the runtime needs of the system it runs on. `native.c` has it for Linux and other POSIX systems, `wasm.c` for
 * WebAssembly. */
#ifndef HH_PLATFORM_H
#define HH_PLATFORM_H

#include "hitherto.h"

/* The operations of an instruction set, by hh_operation_id; NULL when it is not compiled in or not there. */
hh_operation *const *hh_operations_of(int32_t instruction_set);

/* The yardstick of plain_loop.c, the same for every instruction set. */
void hh_plain_loop(const hh_call *call);

/* A thread that runs body(context). Opaque; NULL when there is none to be had. */
typedef struct hh_thread hh_thread;
hh_thread *hh_thread_start(void (*body)(void *), void *context);
void hh_thread_join(hh_thread *thread);

/* Sleeps while *word == expected, until somebody calls hh_wake on it; may return early. */
void hh_wait(int32_t *word, int32_t expected);
/* Wakes all that sleep on a word. */
void hh_wake(int32_t *word);

/* A hint that this thread is spinning. */
void hh_pause(void);
/* Nanoseconds from some fixed moment. */
int64_t hh_now(void);

#endif
