/* A pool of threads that take shares of one operation at a time. */
#ifndef HH_POOL_H
#define HH_POOL_H

#include "hitherto.h"

typedef struct hh_pool hh_pool;

/* A pool of `threads` threads, of which the caller's is one; NULL when they are not to be had. */
hh_pool *hh_pool_create(int32_t threads);
void hh_pool_destroy(hh_pool *pool);

/* Does all `shares` (at most 65535) of an operation, on the calling thread and on whichever others are there. */
void hh_pool_run(hh_pool *pool, hh_operation *operation, const hh_call *call, int32_t shares);

#endif
