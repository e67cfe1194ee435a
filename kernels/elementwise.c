/* Operations on each element alone: activation, gated activation, sum, multiple, soft cap.
 *
 * Arguments: 0 y, 1 a, 2 b (or 0), 3 elements in a row, 4 which activation (or 0), 5 factor or cap (float).
 * y may be a or b. Shares are stretches of whole lanes; every element is computed by the same instructions, wherever
 * it stands. */
#define ELEMENTWISE(name, expression)                                                                    \
  static void name(const hh_call *call) {                                                                \
    const hh_word *arguments = call->arguments;                                                          \
    float *y = address(arguments[0]);                                                                    \
    const float *first = address(arguments[1]), *second = address(arguments[2]);                         \
    const int64_t kind = arguments[4];                                                                   \
    const f32x16 factor = splat16(float_argument(arguments[5]));                                         \
    (void)kind, (void)factor, (void)second;                                                              \
    EACH_ELEMENT(elements_of(call, arguments[3])) {                                                      \
      const f32x16 a = load_next(first + i, left);                                                       \
      store_some(y + i, expression, left);                                                               \
    }                                                                                                    \
  }
#define SECOND load_next(second + i, left)

ELEMENTWISE(add, add16(a, SECOND))
ELEMENTWISE(scale, mul16(a, factor))
ELEMENTWISE(soft_cap, mul16(factor, tanh16(div16(a, factor))))
ELEMENTWISE(activation, activate16(kind, a))
ELEMENTWISE(gated_activation, mul16(activate16(kind, a), SECOND))

#undef SECOND
#undef ELEMENTWISE
