/* exp, ln, tanh, erf and what is made of them, sixteen lanes at a time: the same polynomials on every processor.
 *
 * Relative error below 4e-7 (exp: 2e-7). Not-a-number passes through. Polynomials of Cephes (Moshier, 1989). */
#ifndef HH_FUNCTIONS_H
#define HH_FUNCTIONS_H

#include "lanes.h"

HH_INLINE f32x16 polynomial(f32x16 x, const float *coefficients, int count) {
  f32x16 sum = splat16(coefficients[0]);
  HH_UNROLL for (int i = 1; i < count; i++) sum = fma16(sum, x, splat16(coefficients[i]));
  return sum;
}
#define POLYNOMIAL(x, ...) \
  polynomial(x, (const float[]){__VA_ARGS__}, (int)(sizeof((const float[]){__VA_ARGS__}) / sizeof(float)))

/* x = n ln 2 + r: r, and n plus 1.5 * 2^23, which rounds it to an integer and leaves that in the low bits. */
typedef struct {
  f32x16 shifted, r;
} exp_parts;

HH_INLINE exp_parts exp_split16(f32x16 x) {
  const f32x16 magic = splat16(12582912.0f);
  const f32x16 shifted = fma16(x, splat16(1.44269504088896341f), magic);
  const f32x16 n = sub16(shifted, magic);
  const f32x16 r = fma16(n, splat16(-0.693359375f), x);
  return (exp_parts){shifted, fma16(n, splat16(2.12194440e-4f), r)};
}

HH_INLINE f32x16 exp_join16(exp_parts parts) {
  const f32x16 r = parts.r;
  const f32x16 p = POLYNOMIAL(r, 1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f,
                              1.6666665459e-1f, 5.0000001201e-1f);
  const f32x16 value = add16(fma16(p, mul16(r, r), r), splat16(1.0f));
  const i32x16 exponent = add_int(bits_of(parts.shifted), splat_int(127 - 0x4b400000));
  return mul16(value, of_bits(shift_left(exponent, 23)));
}

/* e^x; 0 below -87.3, at most e^88. */
HH_INLINE f32x16 exp16(f32x16 x) {
  const f32x16 lowest = splat16(-87.3f), highest = splat16(88.0f);
  const f32x16 clamped = min16(max16(x, lowest), highest);
  return where_less(x, lowest, splat16(0.0f), exp_join16(exp_split16(clamped)));
}

/* e^x for x <= 0: the same bits as exp16, without what only other numbers need. */
HH_INLINE f32x16 exp_falling16(f32x16 x) {
  const exp_parts parts = exp_split16(x);
  return where_less(x, splat16(-87.3f), splat16(0.0f), exp_join16(parts));
}

/* Natural logarithm of positive normal numbers. */
HH_INLINE f32x16 log16(f32x16 x) {
  /* x = m 2^e with m from sqrt(1/2) to sqrt(2): the bits of sqrt(1/2) make the exponent carry over at the right place. */
  const i32x16 offset = add_int(bits_of(x), splat_int(0x3f800000 - 0x3f3504f3));
  const f32x16 e = float_of_int(add_int(shift_right(offset, 23), splat_int(-127)));
  const f32x16 m = of_bits(add_int(and_int(offset, splat_int(0x007fffff)), splat_int(0x3f3504f3)));
  const f32x16 r = sub16(m, splat16(1.0f)), square = mul16(r, r);
  const f32x16 p = POLYNOMIAL(r, 7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f,
                              1.4249322787e-1f, -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f,
                              3.3333331174e-1f);
  f32x16 y = mul16(mul16(p, r), square);
  y = fma16(e, splat16(-2.12194440e-4f), y);
  y = fma16(square, splat16(-0.5f), y);
  return fma16(e, splat16(0.693359375f), add16(r, y));
}

HH_INLINE f32x16 tanh16(f32x16 x) {
  const f32x16 magnitude = abs16(x), square = mul16(x, x), one = splat16(1.0f);
  const f32x16 p = POLYNOMIAL(square, -5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f, 1.33314422036e-1f,
                              -3.33332819422e-1f);
  const f32x16 small = fma16(mul16(p, square), x, x);
  const f32x16 e = exp16(add16(magnitude, magnitude));
  const f32x16 large = with_sign(sub16(one, div16(splat16(2.0f), add16(e, one))), x);
  return where_less(magnitude, splat16(0.625f), small, where_less(splat16(9.1f), magnitude, with_sign(one, x), large));
}

/* e^(x^2) (1 - erf(x)) for x >= 0: t p(t) with t = 1 / (1 + 0.3 x), p fitted up to x = 9.4, off by 2e-8 at most before
 * rounding, by 2.2e-7 after it. */
HH_INLINE f32x16 scaled_erfc16(f32x16 x) {
  const f32x16 one = splat16(1.0f), t = div16(one, fma16(x, splat16(0.3f), one));
  const f32x16 p = POLYNOMIAL(t, -1.294066958e-1f, 4.849523771e-1f, -5.109013969e-1f, 5.459848892e-1f,
                              -9.331511807e-2f, 2.142841007e-1f, 1.485270429e-1f, 1.706846625e-1f, 1.691901189e-1f);
  return mul16(p, t);
}

/* 1 + erf(x), accurate relative to itself for negative x too, given e = e^(-x^2). */
HH_INLINE f32x16 one_plus_erf_of(f32x16 x, f32x16 e) {
  const f32x16 complement = mul16(e, scaled_erfc16(abs16(x)));
  return where_less(x, splat16(0.0f), complement, sub16(splat16(2.0f), complement));
}

/* The same where e is of no other use. */
HH_INLINE f32x16 one_plus_erf16(f32x16 x) {
  return one_plus_erf_of(x, exp_falling16(sub16(splat16(0.0f), mul16(x, x))));
}

/* 1 / x for x from 2^-120 to 2^120, off by at most 2e-7 of itself: Newton's steps from a guess by the bits of x, which is
 * off by 12 % at most. A third of the time of a division. */
HH_INLINE f32x16 reciprocal16(f32x16 x) {
  const f32x16 negative = sub16(splat16(0.0f), x), one = splat16(1.0f);
  f32x16 r = of_bits(sub_int(splat_int(0x7ef311c7), bits_of(x)));
  HH_UNROLL for (int i = 0; i < 3; i++) r = fma16(r, fma16(negative, r, one), r);
  return r;
}

/* 1 / (1 + e^x); as small as it gets from x = 83 on. */
HH_INLINE f32x16 falling_sigmoid16(f32x16 x) {
  return reciprocal16(add16(splat16(1.0f), exp16(min16(x, splat16(83.0f)))));
}

/* x / (1 + e^(-slope x)) */
HH_INLINE f32x16 sigmoid_linear16(f32x16 x, float slope) {
  return mul16(x, falling_sigmoid16(mul16(x, splat16(-slope))));
}

/* Activations by number, as in src/graph/operations/activation.ts. */
enum { HH_RELU, HH_SILU, HH_GELU, HH_GELU_TANH, HH_QUICK_GELU };

HH_INLINE f32x16 activate16(int64_t kind, f32x16 x) {
  switch (kind) {
    case HH_RELU: return where_less(x, splat16(0.0f), splat16(0.0f), x);
    case HH_SILU: return sigmoid_linear16(x, 1.0f);
    case HH_QUICK_GELU: return sigmoid_linear16(x, 1.702f);
    case HH_GELU: return mul16(mul16(splat16(0.5f), x), one_plus_erf16(mul16(x, splat16(0.70710678118654752f))));
    default: { /* 0.5 (1 + tanh u) = 1 / (1 + e^(-2u)): no cancellation for negative x */
      const f32x16 cube = mul16(mul16(x, x), x);
      const f32x16 u = mul16(fma16(cube, splat16(0.044715f), x), splat16(-2.0f * 0.79788456080286536f));
      return mul16(x, falling_sigmoid16(u));
    }
  }
}

/* ------------------------------------------------------------------ derivatives */

/* The derivative of sigmoid_linear16: s (1 + slope x (1 - s)), s = 1 / (1 + e^(-slope x)). */
HH_INLINE f32x16 sigmoid_linear_slope16(f32x16 x, float slope) {
  const f32x16 one = splat16(1.0f), sloped = mul16(min16(max16(x, splat16(-128.0f)), splat16(128.0f)), splat16(slope));
  const f32x16 s = falling_sigmoid16(sub16(splat16(0.0f), sloped));
  return mul16(s, fma16(sloped, sub16(one, s), one));
}

/* The derivative of x P(x), P the normal distribution function: P(x) + x p(x), p = e^(-x^2 / 2) / sqrt(2 pi). */
HH_INLINE f32x16 gelu_slope16(f32x16 x) {
  const f32x16 within = min16(max16(x, splat16(-40.0f)), splat16(40.0f));
  const f32x16 root = mul16(within, splat16(0.70710678118654752f));
  const f32x16 e = exp_falling16(sub16(splat16(0.0f), mul16(root, root)));
  const f32x16 half = mul16(splat16(0.5f), one_plus_erf_of(root, e));
  return fma16(mul16(within, splat16(0.39894228040143268f)), e, half);
}

/* The derivative of x s, s = 1 / (1 + e^(-2u)), u = sqrt(2 / pi) (x + 0.044715 x^3): s + x s (1 - s) 2u'. */
HH_INLINE f32x16 gelu_tanh_slope16(f32x16 x) {
  const float twice = 2.0f * 0.79788456080286536f;
  const f32x16 one = splat16(1.0f), within = min16(max16(x, splat16(-40.0f)), splat16(40.0f));
  const f32x16 square = mul16(within, within), inner = fma16(square, splat16(0.044715f), one);
  const f32x16 s = falling_sigmoid16(mul16(mul16(within, inner), splat16(-twice)));
  const f32x16 slope = mul16(fma16(square, splat16(3.0f * 0.044715f), one), mul16(within, splat16(twice)));
  return mul16(s, fma16(slope, sub16(one, s), one));
}

/* An activation and its derivative at once, for little more than the price of one. The activation's bits are those of
 * activate16. */
typedef struct {
  f32x16 value, slope;
} activated16;

HH_INLINE activated16 sigmoid_linear_both16(f32x16 x, float slope) {
  const f32x16 s = falling_sigmoid16(mul16(x, splat16(-slope))), one = splat16(1.0f);
  const f32x16 sloped = mul16(min16(max16(x, splat16(-128.0f)), splat16(128.0f)), splat16(slope));
  return (activated16){mul16(x, s), mul16(s, fma16(sloped, sub16(one, s), one))};
}

HH_INLINE activated16 gelu_both16(f32x16 x) {
  const f32x16 root = mul16(x, splat16(0.70710678118654752f)), e = exp_falling16(sub16(splat16(0.0f), mul16(root, root)));
  const f32x16 sum = one_plus_erf_of(root, e), within = min16(max16(x, splat16(-40.0f)), splat16(40.0f));
  const f32x16 slope = fma16(mul16(within, splat16(0.39894228040143268f)), e, mul16(splat16(0.5f), sum));
  return (activated16){mul16(mul16(splat16(0.5f), x), sum), slope};
}

HH_INLINE activated16 activate_both16(int64_t kind, f32x16 x) {
  switch (kind) {
    case HH_SILU: return sigmoid_linear_both16(x, 1.0f);
    case HH_QUICK_GELU: return sigmoid_linear_both16(x, 1.702f);
    case HH_GELU: return gelu_both16(x);
    case HH_RELU: return (activated16){activate16(kind, x), where_less(splat16(0.0f), x, splat16(1.0f), splat16(0.0f))};
    default: return (activated16){activate16(kind, x), gelu_tanh_slope16(x)};
  }
}

/* The derivative of an activation; that of relu is 0 at 0. */
HH_INLINE f32x16 activation_slope16(int64_t kind, f32x16 x) {
  switch (kind) {
    case HH_RELU: return where_less(splat16(0.0f), x, splat16(1.0f), splat16(0.0f));
    case HH_SILU: return sigmoid_linear_slope16(x, 1.0f);
    case HH_QUICK_GELU: return sigmoid_linear_slope16(x, 1.702f);
    case HH_GELU: return gelu_slope16(x);
    default: return gelu_tanh_slope16(x);
  }
}

#endif
