/* What this machine can do at most with this instruction set: read memory, multiply and add floats, sum products of
 * bytes. No part of any model; profiles are set beside what these take.
 *
 * Arguments: HH_LIMIT_READ: 0 memory, 1 bytes, a multiple of 256. HH_LIMIT_FLOAT and HH_LIMIT_BYTES: 0 steps; a step
 * is 32 operations of floats, or 128 of bytes. The work is split by share. */

/* Sums that are added to in turn: enough to hide a step's latency, few enough to stay in registers. */
#if HH_WIDTH == 16
#define HH_LIMIT_SUMS 12
#elif defined(HH_NEON_LANES) || HH_WIDTH == 8
#define HH_LIMIT_SUMS 5
#elif defined(HH_WASM_LANES)
#define HH_LIMIT_SUMS 3
#else
#define HH_LIMIT_SUMS 1
#endif

/* Rounds of HH_LIMIT_SUMS steps that are this share's. */
static int64_t limit_rounds(const hh_call *call) {
  const int64_t rounds = call->arguments[0] / HH_LIMIT_SUMS;
  return share_start(rounds, call->share.index + 1, call->share.count) -
         share_start(rounds, call->share.index, call->share.count);
}

/* Makes the compiler believe that what `pointer` leads to is read and written here. */
#define HH_OPAQUE(pointer) __asm__ volatile("" : : "r"(pointer) : "memory")

/* Reads from four places, for memory serves several streams faster than one. */
static void limit_read(const hh_call *call) {
  const int64_t lines = call->arguments[1] / 256;
  const char *memory = address(call->arguments[0]);
  const int64_t first = share_start(lines, call->share.index, call->share.count);
  const int64_t end = share_start(lines, call->share.index + 1, call->share.count);
  const int64_t quarter = (end - first) * 64;
  const char *from = memory + first * 256;
  i32x16 sums[4] = {splat_int(0), splat_int(0), splat_int(0), splat_int(0)};
  for (int64_t at = 0; at < quarter; at += 64)
    HH_UNROLL for (int i = 0; i < 4; i++) sums[i] = or_int(sums[i], load_ints(from + i * quarter + at));
  HH_OPAQUE(sums);
}

/* sum = sum * 0.5 + 1. */
static void limit_float(const hh_call *call) {
  const f32x16 half = splat16(0.5f), one = splat16(1.0f);
  f32x16 sums[HH_LIMIT_SUMS];
  HH_UNROLL for (int i = 0; i < HH_LIMIT_SUMS; i++) sums[i] = one;
  for (int64_t rounds = limit_rounds(call); rounds > 0; rounds--)
    HH_UNROLL for (int i = 0; i < HH_LIMIT_SUMS; i++) sums[i] = fma16(sums[i], half, one);
  HH_OPAQUE(sums);
}

#if defined(HH_ISA_AMX)
/* Four sums of 16 x 16, each product of tiles worth 256 steps. Whoever had the tiles set up finds them so again. */
static void limit_bytes(const hh_call *call) {
  static const uint8_t operands[1024] = {1, 2, 3, 4};
  struct {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
  } mine = {.palette = 1}, before;
  for (int tile = 0; tile < 6; tile++) mine.row_bytes[tile] = 64, mine.rows[tile] = 16;
  _tile_storeconfig(&before);
  _tile_loadconfig(&mine);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_loadd(4, operands, 64);
  _tile_loadd(5, operands, 64);
  for (int64_t products = limit_rounds(call) * HH_LIMIT_SUMS / 256; products > 0; products -= 4) {
    _tile_dpbusd(0, 4, 5);
    _tile_dpbusd(1, 4, 5);
    _tile_dpbusd(2, 4, 5);
    _tile_dpbusd(3, 4, 5);
  }
  _tile_loadconfig(&before);
}
#else
/* Weights that are loaded once for HH_LIMIT_SUMS rows of activations, as the linear maps do. */
static void limit_bytes(const hh_call *call) {
  activation_element x[4 * HH_LIMIT_SUMS] = {1, 2, 3, 4};
  uint8_t weights[64] = {1, 2, 3, 4};
  i32x16 sums[HH_LIMIT_SUMS];
  HH_UNROLL for (int i = 0; i < HH_LIMIT_SUMS; i++) sums[i] = splat_int(0);
  for (int64_t rounds = limit_rounds(call); rounds > 0; rounds--) {
    HH_OPAQUE(x);
    HH_OPAQUE(weights);
    const i32x16 w = load_ints(weights);
    HH_UNROLL for (int i = 0; i < HH_LIMIT_SUMS; i++) sums[i] = dot4(sums[i], w, load_activations(x + 4 * i));
  }
  /* A copy: what the compiler must believe to be in memory would be written there in every round. */
  i32x16 results[HH_LIMIT_SUMS];
  HH_UNROLL for (int i = 0; i < HH_LIMIT_SUMS; i++) results[i] = sums[i];
  HH_OPAQUE(results);
}
#endif
