/* C (rows, columns) = start + A' B for A (k, rows) and B (k, columns): the gradient of a weight matrix, summed over the
 * rows of a batch. Both are packed as they are used, a stretch of k at a time, into memory of the thread.
 *
 * Arguments: 0 c, 1 a, 2 b: rows of float, or as round_rows leaves them, 3 columns, 4 k, or ~dimension where it is live,
 * 5 HH_F32 or HH_BF16, 6 whether the product is added to c, 7 memory: HH_LEFT_BYTES for each thread, 8 where the sums of A's
 * columns go, or 0, 9 whether they are added to what is there (both of bfloat16 alone). */

/* Of k, what is packed at a time: as many bytes of each kind of number. */
#define HH_LEFT_STRETCH(halves) ((halves) ? 256 : 128)
/* Elements from row to row of what is packed of A: not a power of two, for the sake of caches. */
#define HH_LEFT_STRIDE(halves) (HH_LEFT_STRETCH(halves) + ((halves) ? 32 : 16))
/* Rows or columns of a block at most, and elements: the block stays in the second cache. */
#define HH_LEFT_SIDE 768
#define HH_LEFT_ELEMENTS (768 * 384)
/* Packed rows of A, then panels of B. TypeScript (products.ts) has the same number. */
#define HH_LEFT_A_BYTES (HH_LEFT_SIDE * HH_LEFT_STRIDE(0) * 4)
#define HH_LEFT_SUMS (HH_LEFT_A_BYTES + HH_LEFT_SIDE * HH_LEFT_STRETCH(0) * 4)
#define HH_LEFT_BYTES (HH_LEFT_SUMS + HH_LEFT_SIDE * 4)

/* Sixteen columns of 32 rows of bfloat16, of which `rows` exist: pair i of each has rows 2 i and 2 i + 1. */
HH_INLINE void load_pairs(i32x16 *to, const uint16_t *from, int64_t stride, int64_t rows) {
  HH_UNROLL for (int i = 0; i < HH_LANES; i++) {
    const i32x16 even = 2 * i < rows ? widen_shorts(from + 2 * i * stride) : splat_int(0);
    const i32x16 odd = 2 * i + 1 < rows ? widen_shorts(from + (2 * i + 1) * stride) : splat_int(0);
    to[i] = or_int(even, shift_left(odd, 16));
  }
}

/* A matrix (k, width) from one of its columns on, `rows` of its rows, `columns` of its columns. */
typedef struct {
  const void *from;
  int64_t stride, rows, columns;
} left_operand;

/* Asks for 32 columns of the 32 rows of bfloat16 that come after those at `from`: rows lie too far apart for the processor
 * to see them coming. Beyond the end of a matrix nothing is harmed. */
HH_INLINE void left_ahead(const uint16_t *from, int64_t stride) {
  HH_UNROLL for (int64_t i = 32; i < 64; i++) __builtin_prefetch(from + i * stride, 0, 2);
}

/* Adds sixteen columns of 32 rows to their sums: those of the 32 first. */
HH_INLINE void left_add_columns(float *sums, const i32x16 *pairs) {
  const i32x16 upper = splat_int((int32_t)0xffff0000);
  f32x16 sum = splat16(0.0f);
  HH_UNROLL for (int i = 0; i < HH_LANES; i++)
    sum = add16(add16(sum, of_bits(shift_left(pairs[i], 16))), of_bits(and_int(pairs[i], upper)));
  store16(sums, add16(load16(sums), sum));
}

/* Row j of what is packed is column j of the operand. */
HH_INLINE void left_pack_a(void *to, left_operand a, float *sums, const int halves) {
  const int64_t stride = HH_LEFT_STRIDE(halves);
  for (int64_t k = 0; k < a.rows; k += halves ? 32 : HH_LANES)
    for (int64_t column = 0; column < a.columns; column += HH_LANES) {
      if (halves) {
        const uint16_t *from = (const uint16_t *)a.from + k * a.stride + column;
        i32x16 pairs[HH_LANES];
        if (column % 32 == 0) left_ahead(from, a.stride);
        load_pairs(pairs, from, a.stride, a.rows - k);
        if (sums != NULL) left_add_columns(sums + column, pairs);
        turn_words(pairs);
        HH_UNROLL for (int i = 0; i < HH_LANES; i++) store_ints((uint16_t *)to + (column + i) * stride + k, pairs[i]);
      } else {
        f32x16 turned[HH_LANES];
        load_turned(turned, (const float *)a.from + k * a.stride + column, a.stride, a.rows - k, a.columns - column);
        HH_UNROLL for (int i = 0; i < HH_LANES; i++) store16((float *)to + (column + i) * stride + k, turned[i]);
      }
    }
}

/* Panels as pack_columns.c has them, of a stretch of k. */
HH_INLINE void left_pack_b(void *to, left_operand b, const int halves) {
  for (int64_t k = 0; k < b.rows; k += halves ? 32 : HH_LANES)
    for (int64_t column = 0; column < b.columns; column += HH_LANES) {
      const int64_t first = column * HH_LEFT_STRETCH(halves), left = b.rows - k;
      if (halves) {
        const uint16_t *from = (const uint16_t *)b.from + k * b.stride + column;
        i32x16 pairs[HH_LANES];
        if (column % 32 == 0) left_ahead(from, b.stride);
        load_pairs(pairs, from, b.stride, left);
        HH_UNROLL for (int i = 0; i < HH_LANES; i++)
          store_ints((uint16_t *)to + first + (k + 2 * i) * HH_LANES, pairs[i]);
      } else {
        pack_floats((float *)to + first + k * HH_LANES, (const float *)b.from + k * b.stride + column, b.stride,
                    left < HH_LANES ? left : HH_LANES, b.columns - column, 0);
      }
    }
}

/* A block of C, stretch by stretch. `p` has its place and its start, the operands their first rows. `sums`: of A's columns,
 * zeroes to begin with, or NULL. */
HH_INLINE void left_block(product_block p, left_operand a, left_operand b, int64_t k, char *memory, float *sums,
                          const int halves) {
  const int64_t stretch = HH_LEFT_STRETCH(halves), bytes = halves ? 2 : 4;
  p.a = memory;
  p.a_stride = HH_LEFT_STRIDE(halves);
  p.b = memory + HH_LEFT_A_BYTES;
  p.panel_stride = stretch * HH_LANES;
  for (int64_t at = 0; at < k; at += stretch) {
    a.rows = b.rows = k - at < stretch ? k - at : stretch;
    left_pack_a(memory, a, sums, halves);
    left_pack_b(memory + HH_LEFT_A_BYTES, b, halves);
    p.k = halves ? whole_chunks(a.rows) : a.rows;
    product_run(&p, halves);
    p.start = p.c;
    p.start_stride = p.c_stride;
    a.from = (const char *)a.from + stretch * a.stride * bytes;
    b.from = (const char *)b.from + stretch * b.stride * bytes;
  }
}

/* A sum without terms: what it starts from. */
static void left_empty(const product_block *p) {
  for (int64_t row = 0; p->start == NULL && row < p->rows; row++)
    memset(p->c + row * p->c_stride, 0, (size_t)p->columns * sizeof(float));
}

/* Puts the sums of columns where they belong. */
static void left_store_sums(float *to, const float *sums, int64_t count, int64_t adds) {
  for (int64_t i = 0; i < count; i += HH_LANES)
    store_some(to + i, adds ? add16(load_some(to + i, count - i), load16(sums + i)) : load16(sums + i), count - i);
}

/* Sides of the blocks that C is divided into: one for each thread or more, as large as they may be. */
typedef struct {
  int64_t height, width;
} left_sides;

static left_sides left_sides_of(int64_t rows, int64_t columns, int64_t blocks) {
  left_sides side = {rows, columns};
  while (side.height > HH_LEFT_SIDE || side.width > HH_LEFT_SIDE || side.height * side.width > HH_LEFT_ELEMENTS ||
         parts_of(rows, side.height) * parts_of(columns, side.width) < blocks) {
    int64_t *longer = side.height >= side.width ? &side.height : &side.width;
    if (*longer <= 32) break;
    *longer = part_size(*longer, 2, *longer, 32);
  }
  return side;
}

HH_INLINE void left_product(const hh_call *call, const int halves) {
  const hh_word *w = call->arguments;
  const int64_t rows = call->rows, columns = w[3], k = w[4] < 0 ? call->live[~w[4]] : w[4], bytes = halves ? 2 : 4;
  const left_sides side = left_sides_of(rows, columns, call->share.count == 1 ? 1 : call->threads);
  const int64_t across = parts_of(columns, side.width), parts = across * parts_of(rows, side.height);
  const int64_t end = share_start(parts, call->share.index + 1, call->share.count);
  for (int64_t part = share_start(parts, call->share.index, call->share.count); part < end; part++) {
    const int64_t row = part / across * side.height, column = part % across * side.width;
    product_block p = {
        .c = (float *)address(w[0]) + row * columns + column,
        .c_stride = columns,
        .rows = rows - row < side.height ? rows - row : side.height,
        .columns = columns - column < side.width ? columns - column : side.width,
    };
    p.start = w[6] ? p.c : NULL;
    p.start_stride = w[6] ? columns : 0;
    const left_operand a = {(const char *)address(w[1]) + row * bytes, halves ? bfloat_stride(rows) : rows, 0, p.rows};
    const left_operand b = {(const char *)address(w[2]) + column * bytes, halves ? bfloat_stride(columns) : columns, 0,
                            p.columns};
    char *memory = (char *)address(w[7]) + call->thread * HH_LEFT_BYTES;
    float *sums = w[8] && column == 0 ? (float *)(memory + HH_LEFT_SUMS) : NULL;
    if (sums != NULL) memset(sums, 0, HH_LEFT_SIDE * sizeof(float));
    if (k == 0) left_empty(&p);
    else left_block(p, a, b, k, memory, sums, halves);
    if (sums != NULL) left_store_sums((float *)address(w[8]) + row, sums, p.rows, w[9]);
  }
}

static void product_left(const hh_call *call) {
  if (call->arguments[5] == HH_BF16) left_product(call, 1);
  else left_product(call, 0);
}
