/* Words of 16 rows, turned so that each word of all rows lies together. */
#ifndef HH_PACK_WORDS_H
#define HH_PACK_WORDS_H

#include "lanes.h"

/* Four words: the compiler's own vectors, which every processor here has. */
typedef uint32_t words4 __attribute__((vector_size(16)));
#if defined(__clang__)
#define HH_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define HH_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (words4){__VA_ARGS__})
#endif

HH_INLINE words4 load_words(const uint8_t *from) {
  words4 value;
  memcpy(&value, from, 16);
  return value;
}

/* Words 0 ... 3 of four rows `stride` bytes apart: word i of all four goes to to + i * 64, changed by an exclusive or. */
HH_INLINE void turn_words(uint8_t *to, const uint8_t *from, int64_t stride, uint32_t flip) {
  const words4 flips = {flip, flip, flip, flip};
  const words4 a = load_words(from), b = load_words(from + stride);
  const words4 c = load_words(from + 2 * stride), d = load_words(from + 3 * stride);
  const words4 ab = HH_SHUFFLE(a, b, 0, 4, 1, 5), ab2 = HH_SHUFFLE(a, b, 2, 6, 3, 7);
  const words4 cd = HH_SHUFFLE(c, d, 0, 4, 1, 5), cd2 = HH_SHUFFLE(c, d, 2, 6, 3, 7);
  const words4 turned[4] = {HH_SHUFFLE(ab, cd, 0, 1, 4, 5) ^ flips, HH_SHUFFLE(ab, cd, 2, 3, 6, 7) ^ flips,
                            HH_SHUFFLE(ab2, cd2, 0, 1, 4, 5) ^ flips, HH_SHUFFLE(ab2, cd2, 2, 3, 6, 7) ^ flips};
  for (int i = 0; i < 4; i++) memcpy(to + i * HH_LANES * 4, &turned[i], 16);
}

/* `words` words (a multiple of 4) of 16 rows become [words][16]. */
HH_INLINE void turn_panel(uint8_t *to, const uint8_t *from, int64_t stride, int words, uint32_t flip) {
  for (int word = 0; word < words; word += 4)
    for (int lane = 0; lane < HH_LANES; lane += 4)
      turn_words(to + (word * HH_LANES + lane) * 4, from + lane * stride + word * 4, stride, flip);
}

/* Words of one row become one lane. */
HH_INLINE void put_words(uint8_t *to, int64_t lane, const uint8_t *from, int words, uint32_t flip) {
  for (int i = 0; i < words; i++) {
    uint32_t word;
    memcpy(&word, from + 4 * i, 4);
    word ^= flip;
    memcpy(to + (i * HH_LANES + lane) * 4, &word, 4);
  }
}

#endif
