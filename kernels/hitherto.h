/* The CPU runtime: one C library, compiled to a native addon and to WebAssembly.
 *
 * It runs *plans*: lists of instructions over memory whose addresses were settled when the plan was made. A run
 * allocates nothing. TypeScript (src/backends/cpu/) makes the plans; this header is the contract between the two.
 *
 * One rule holds for every kernel: the bits of a row depend on that row's inputs alone. The order of every reduction
 * follows from the shape of one row; never from the number of rows, of threads, or from alignment. All sums run in
 * lanes of HH_LANES, whatever the width of the processor's registers, so every instruction set with fused
 * multiply-add gives the same bits as the scalar one. */
#ifndef HITHERTO_H
#define HITHERTO_H

#include <stddef.h>
#include <stdint.h>

/* Lanes of a sum, outputs in a panel of a packed matrix, and positions in a block of the KV cache. */
#define HH_LANES 16

/* ------------------------------------------------------------------ plans */

/* A word of a plan. Addresses, sizes and float32 bit patterns (low half) all fit. */
typedef int64_t hh_word;

/* An instruction: its operation, its rows, what a row costs, then the operation's own arguments. */
typedef struct {
  int32_t operation;      /* hh_operation_id */
  int32_t argument_count; /* words that follow */
  int32_t rows;           /* >= 0: fixed number of rows; < 0: live[~rows] */
  int32_t row_cost;       /* about how many nanoseconds one row takes on one thread; decides how many threads help */
} hh_instruction;

/* The part of an instruction's work that one thread does: part `index` of `count`. */
typedef struct {
  int32_t index, count;
} hh_share;

/* What an operation is called with. Operations split their own work by share: by rows, by panels of outputs, by
 * heads. Any split gives the same bits. */
typedef struct {
  const hh_word *arguments;
  const int32_t *live; /* live sizes of this run, by dimension index */
  int32_t rows;
  hh_share share;
} hh_call;

typedef void hh_operation(const hh_call *call);

/* ------------------------------------------------------------------ matrices */

/* How a packed matrix is stored: panels of HH_LANES outputs (rows of W), zero-padded to whole panels.
 *   F32   panel: [in][16] float
 *   F16   panel: [in][16] half
 *   BF16  panel: [in][16] bfloat16
 *   Q8_0  panel: [in/32] groups of { half scale[16]; uint8 value[8][16][4] }: value[q][lane][i] is 128 + the
 *         weight at in = 32*group + 4*q + i, so that one 64-byte load holds four weights of each of 16 outputs.
 *   Q4_0  panel: [in/32] groups of { half scale[16]; uint8 pair[4][16][4] }: the low nibble of pair[q][lane][i] is
 *         8 + the weight at 32*group + 4*q + i, the high nibble the one 16 further on. */
enum { HH_F32, HH_F16, HH_BF16, HH_Q8_0, HH_Q4_0 };

/* ------------------------------------------------------------------ the runtime, as its hosts call it */

typedef struct hh_runtime hh_runtime;

/* Instruction sets, lowest first; which exist depends on what the library was compiled for. */
enum { HH_SCALAR, HH_SIMD128, HH_RELAXED_SIMD, HH_NEON, HH_AVX2, HH_AVX512, HH_AVX512_VNNI };

/* Bit set (1 << id) of the instruction sets that are compiled in and that this processor has. */
uint32_t hh_instruction_sets(void);

/* A runtime with `threads` threads (the caller's is the first) using kernels of one instruction set.
 * NULL when memory or threads are not to be had. */
hh_runtime *hh_create(int32_t threads, int32_t instruction_set);
void hh_destroy(hh_runtime *runtime);

/* Zeroed memory, aligned to 64 bytes, pages untouched until used; NULL when there is none. */
void *hh_allocate(size_t bytes);
void hh_release(void *memory, size_t bytes);

/* Bytes of a packed matrix. */
size_t hh_packed_bytes(int32_t storage, int64_t out, int64_t in);

/* Packs `count` rows from `first` on into a matrix of `out` x `in`. `rows` holds them as GGUF stores that type, row
 * after row. Rows may come in any order and number; each is packed independently. */
void hh_pack_rows(void *matrix, const void *rows, int32_t storage, int64_t out, int64_t in, int64_t first, int64_t count);

/* Runs a plan of `words` words: instructions one after the other, each finished before the next begins. */
void hh_run(hh_runtime *runtime, const hh_word *plan, int64_t words, const int32_t *live);

#endif
