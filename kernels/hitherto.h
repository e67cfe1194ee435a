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

/* Every block of memory from hh_allocate may be read (not written) this far beyond its end. */
#define HH_READABLE_TAIL 64

/* ------------------------------------------------------------------ plans */

/* A word of a plan. Addresses, sizes and float32 bit patterns (low half) all fit. */
typedef int64_t hh_word;

/* An instruction: its operation, its rows, what a row costs, then the operation's own arguments. Two words, then
 * `argument_count` more. What the arguments are stands at the head of each operation's file. */
typedef struct {
  int32_t operation;      /* hh_operation_id */
  int32_t argument_count; /* words that follow */
  int32_t rows;           /* >= 0: fixed number of rows; < 0: live[~rows] */
  int32_t row_cost;       /* about how many nanoseconds one row takes on one thread; decides how many threads help */
} hh_instruction;

/* Operations by number; src/backends/cpu/instructions.ts lists the same names in the same order. */
typedef enum {
  HH_EMBEDDING,
  HH_LINEAR_F32,
  HH_LINEAR_F16,
  HH_LINEAR_BF16,
  HH_LINEAR_Q8_0,
  HH_LINEAR_Q4_0,
  HH_LINEAR_Q4_K,
  HH_LINEAR_Q6_K,
  HH_LINEAR_MXFP4,
  HH_QUANTIZE_ROWS,
  HH_RMS_NORM,
  HH_LAYER_NORM,
  HH_ROTARY,
  HH_CACHE_WRITE,
  HH_ATTENTION,
  HH_ATTENTION_WEIGHTS,
  HH_ACTIVATION,
  HH_GATED_ACTIVATION,
  HH_ADD,
  HH_SCALE,
  HH_SOFT_CAP,
  HH_SELECT_ROWS,
  HH_LOG_SUM_EXP,
  HH_ARGMAX,
  HH_LINEAR_GROUP,
  HH_NORM_ROWS,
  HH_ACTIVATE_ROWS,
  /* Training. */
  HH_CHUNK_SUMS,
  HH_SUM_CHUNKS,
  HH_LOG_SUM_EXP_GRADIENT,
  HH_RMS_NORM_GRADIENT,
  HH_LAYER_NORM_GRADIENT,
  HH_ACTIVATION_GRADIENT,
  HH_GATED_ACTIVATION_GRADIENT,
  HH_SOFT_CAP_GRADIENT,
  HH_EMBEDDING_GRADIENT,
  HH_DROPOUT,
  HH_ROW_SQUARES,
  HH_ACCUMULATE,
  HH_ADAMW,
  HH_SGD,
  HH_LION,
  HH_MOMENTUM,
  HH_APPLY_UPDATE,
  HH_MOVING_AVERAGE,
  HH_SEQUENCE_ATTENTION,
  HH_SEQUENCE_ATTENTION_GRADIENT,
  HH_CROSS_ENTROPY,
  HH_CROSS_ENTROPY_GRADIENT,
  HH_ROUND_ROWS,
  HH_PACK_COLUMNS,
  HH_PRODUCT,
  HH_PRODUCT_LEFT,
  HH_UNIT_NORM,
  HH_ROW_CHAIN,
  /* No part of models: what the machine can do, and a yardstick. */
  HH_LIMIT_READ,
  HH_LIMIT_FLOAT,
  HH_LIMIT_BYTES,
  HH_PLAIN_LOOP,
  HH_OPERATION_COUNT
} hh_operation_id;

/* The part of an instruction's work that is done in one go: part `index` of `count`. Threads take the next part that
 * nobody has taken; `count` is at least 1 and may exceed the number of threads. */
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
  int32_t thread; /* which thread this is, from 0: chooses its part of a scratch buffer */
  int32_t threads; /* how many there are */
  int32_t first_row, end_row; /* operations on rows: rows that are asked for instead of a share, where end_row > 0 */
} hh_call;

typedef void hh_operation(const hh_call *call);

/* ------------------------------------------------------------------ matrices */

/* How a packed matrix is stored: panels of HH_LANES outputs (rows of W), zero-padded to whole panels.
 *   F32   panel: [in][16] float
 *   F16   panel: [in][16] half
 *   BF16  panel: [in][16] bfloat16
 *   Q8_0  panel: float scale[groups][16], uint8 multiplier[in/32][16], zeros up to a multiple of 64 bytes, then
 *         uint8 value[in/32][8][16][4]: value[b][q][lane][i] is 128 + the weight at in = 32*b + 4*q + i, so that one
 *         64-byte load holds four weights of each of 16 outputs.
 *   Q4_0  panel: float scale[groups][16], int16 multiplier[in/32][16], padded likewise, then uint8 pair[in/32][4][16][4]:
 *         the low nibble of pair[b][q][lane][i] is 8 + the weight at 32*b + 4*q + i, the high nibble the one 16 further.
 *   Q4_K  panel: for every 256 of in: half d[16]; half dmin[16]; uint8 scale[8][16]; uint8 min[8][16]; uint8
 *         pair[8][4][16][4], nibbles as in Q4_0 but without the 8. A weight is d * scale * nibble - dmin * min.
 *   Q6_K  panel: [in/256][16] half d, padded likewise, then for every 256 of in: int8 scale[16][16], one for 16 weights;
 *         eight times uint8 bits[2][16][4], uint8 pair[4][16][4], for 32 weights each. Pairs as in Q4_0 are the lower
 *         four bits of 32 + the weight; the upper two are in bits[h][lane][i], from the lowest on, of the weights
 *         8*h + i, 8*h + 4 + i, and those 16 further on.
 *   MXFP4 panel: [in/32][16] uint8 exponents, padded likewise, then pairs of E2M1 codes as in Q4_0.
 * Matrices of Q8_0 and Q4_0 come from files with one scale per block of 32. The blocks of a row are put together in groups of
 * about 256 elements (quantized.h), and a block's scale becomes an integer multiple of its group's: so products and
 * sums of a whole group are integers.
 * HH_ROWS_F32 is not packed: plain rows of float, as small tables are kept; only the embedding reads those. */
enum { HH_F32, HH_F16, HH_BF16, HH_Q8_0, HH_Q4_0, HH_Q4_K, HH_Q6_K, HH_MXFP4, HH_ROWS_F32 };

/* Elements in a block of the simple quantized types, and of a quantized row of activations. */
#define HH_BLOCK 32

/* A quantized row of activations (HH_QUANTIZE_ROWS), `in` elements, a multiple of HH_BLOCK: 2 * in bytes for the
 * values, each int8 in a form that suits the instruction set (dot.h); float scale[groups]; int32 offset[in/32], which is
 * -128 * the sum of the block's values; int32 first_offset[in/32], the same of its first 16 values alone; padded to a
 * multiple of 64 bytes. Kernels may read, not use, rows up to the next multiple of 16. */
size_t hh_quantized_row_bytes(int64_t in);

/* ------------------------------------------------------------------ the runtime, as its hosts call it */

typedef struct hh_runtime hh_runtime;

/* Instruction sets, lowest first; which exist depends on what the library was compiled for. */
enum {
  HH_SCALAR,
  HH_SIMD128,
  HH_RELAXED_SIMD,
  HH_RELAXED_DOT,
  HH_RELAXED_SIGNED_DOT,
  HH_NEON,
  HH_AVX2,
  HH_AVX512,
  HH_AVX512_VNNI,
  HH_AMX,
  HH_INSTRUCTION_SET_COUNT
};

/* Bit set (1 << id) of the instruction sets that are compiled in and that this processor has. */
uint32_t hh_instruction_sets(void);

/* A runtime with `threads` threads (the caller's is the first) using kernels of one instruction set.
 * NULL when memory or threads are not to be had, or the instruction set is not. */
hh_runtime *hh_create(int32_t threads, int32_t instruction_set);
void hh_destroy(hh_runtime *runtime);

/* Zeroed memory, aligned to 64 bytes, pages untouched until used; NULL when there is none. */
void *hh_allocate(size_t bytes);
void hh_release(void *memory, size_t bytes);

/* Asks for large pages under memory that is about to be filled whole, such as weights. Not for memory of which only a
 * part will ever be touched: each touch then costs a large page. Native only; a hint. */
void hh_prefer_large_pages(void *memory, size_t bytes);

/* Bytes of a packed matrix; SIZE_MAX, which nobody can allocate, where a size_t cannot hold them. */
size_t hh_packed_bytes(int32_t storage, int64_t out, int64_t in);

/* Packs `count` rows from `first` on into a matrix of `out` x `in`. `rows` holds them as GGUF stores that type, row
 * after row. Rows may come in any order and number; each is packed independently, so threads may pack different panels
 * of one matrix at a time. Whole panels pack fastest. */
void hh_pack_rows(void *matrix, const void *rows, int32_t storage, int64_t out, int64_t in, int64_t first, int64_t count);

/* The same on all threads of a runtime, in place of a run. */
void hh_pack(hh_runtime *runtime, void *matrix, const void *rows, int32_t storage, int64_t out, int64_t in,
             int64_t first, int64_t count);

/* Bytes of a row as GGUF stores that type. */
int64_t hh_stored_row_bytes(int32_t storage, int64_t in);

/* Runs a plan of `words` words: instructions one after the other, each finished before the next begins.
 * `times`, where it is not NULL, has a number for each instruction, to which its nanoseconds are added.
 * One run of a runtime at a time. */
void hh_run(hh_runtime *runtime, const hh_word *plan, int64_t words, const int32_t *live, int64_t *times);

#endif
