/* Rotary position embedding: turns pairs of each head's elements by the angle of the row's position.
 *
 * Arguments: 0 y, 1 x (rows, heads * headDim), 2 positions (rows), 3 table (contextLength, rotaryDim: cosines of the
 * rotaryDim/2 angles, then sines), 4 heads, 5 headDim, 6 rotaryDim, 7 interleaved: pairs (2i, 2i + 1), else
 * (i, i + rotaryDim/2), 8 inverse: turns back, by the negative angle. y may be x; elements from rotaryDim on pass
 * unchanged.
 * (a, b) becomes (fma(a, cos, -(b sin)), fma(b, cos, a sin)). Su et al., 2021 (arXiv:2104.09864). */
static void rotary(const hh_call *call) {
  const hh_word *a = call->arguments;
  float *y = address(a[0]);
  const float *x = address(a[1]), *table = address(a[3]);
  const int32_t *positions = address(a[2]);
  const int64_t heads = a[4], head_dim = a[5], rotary_dim = a[6], half = rotary_dim / 2;
  const int64_t total = heads * call->rows;
  const float direction = a[8] ? -1.0f : 1.0f;
  const int64_t end = share_start(total, call->share.index + 1, call->share.count);
  for (int64_t head = share_start(total, call->share.index, call->share.count); head < end; head++) {
    const float *cosine = table + positions[head / heads] * rotary_dim, *sine = cosine + half;
    const float *from = x + head * head_dim;
    float *to = y + head * head_dim;
    if (a[7]) {
      for (int64_t i = 0; i < half; i++) {
        const float first = from[2 * i], second = from[2 * i + 1];
        to[2 * i] = fma1(first, cosine[i], -(second * (sine[i] * direction)));
        to[2 * i + 1] = fma1(second, cosine[i], first * (sine[i] * direction));
      }
    } else {
      for (int64_t i = 0; i < half; i += HH_LANES) {
        const int64_t left = half - i;
        const f32x16 c = load_some(cosine + i, left), s = mul16(load_some(sine + i, left), splat16(direction));
        const f32x16 first = load_some(from + i, left), second = load_some(from + half + i, left);
        const f32x16 zero = splat16(0.0f);
        store_some(to + i, fma16(first, c, sub16(zero, mul16(second, s))), left);
        store_some(to + half + i, fma16(second, c, mul16(first, s)), left);
      }
    }
    if (to != from && rotary_dim < head_dim)
      memcpy(to + rotary_dim, from + rotary_dim, (size_t)(head_dim - rotary_dim) * sizeof(float));
  }
}
