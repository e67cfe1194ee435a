/* Sixteen vectors of sixteen 32-bit words, turned about: word j of vector i becomes word i of vector j. */
#ifndef HH_TURN_WORDS_H
#define HH_TURN_WORDS_H

#include "lanes.h"

HH_INLINE void store_ints(void *to, i32x16 a) {
  HH_EACH_PART(i) memcpy((char *)to + i * sizeof(i32_part), &a.part[i], sizeof(i32_part));
}

#if HH_WIDTH == 16
/* Each step swaps blocks of twice the width: words, pairs, fours, eights. */
HH_INLINE void turn_vectors(__m512i *r) {
  __m512i s[16];
  HH_UNROLL for (int i = 0; i < 16; i += 2) {
    s[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    s[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  HH_UNROLL for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(s[i], s[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(s[i], s[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(s[i + 1], s[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(s[i + 1], s[i + 3]);
  }
  HH_UNROLL for (int i = 0; i < 4; i++) {
    s[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
    s[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
    s[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
    s[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
  }
  HH_UNROLL for (int i = 0; i < 4; i++) {
    r[i] = _mm512_shuffle_i32x4(s[i], s[i + 8], 0x88);
    r[i + 4] = _mm512_shuffle_i32x4(s[i + 4], s[i + 12], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4(s[i], s[i + 8], 0xdd);
    r[i + 12] = _mm512_shuffle_i32x4(s[i + 4], s[i + 12], 0xdd);
  }
}
#endif

/* The same on every processor. */
HH_INLINE void turn_words(i32x16 *words) {
#if HH_WIDTH == 16
  __m512i r[16];
  HH_UNROLL for (int i = 0; i < 16; i++) r[i] = (__m512i)words[i].part[0];
  turn_vectors(r);
  HH_UNROLL for (int i = 0; i < 16; i++) words[i].part[0] = (i32_part)r[i];
#else
  int32_t from[HH_LANES][HH_LANES], to[HH_LANES][HH_LANES];
  for (int i = 0; i < HH_LANES; i++) store_ints(from[i], words[i]);
  for (int i = 0; i < HH_LANES; i++)
    for (int j = 0; j < HH_LANES; j++) to[j][i] = from[i][j];
  for (int i = 0; i < HH_LANES; i++) words[i] = load_ints(to[i]);
#endif
}

#endif
