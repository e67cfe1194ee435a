/* Steps of optimizers, and sums into states: one pass over all that an element needs.
 *
 * Arguments: 0 p, the state that is changed; 1 to 3 further operands, as each function says; 4 scalars (floats of this
 * run), 5 elements, 6 whether weights decay, 7 whether momentum is Nesterov's. An instruction of one row; shares are
 * stretches of whole lanes. Weights decay beside the gradient, not through it (Loshchilov & Hutter, arXiv:1711.05101). */
typedef struct {
  float *p, *first, *second, *third;
  const float *scalars;
  int64_t decays, nesterov;
} optimizer_operands;

HH_INLINE optimizer_operands operands_of(const hh_call *call) {
  const hh_word *a = call->arguments;
  return (optimizer_operands){address(a[0]), address(a[1]), address(a[2]), address(a[3]), address(a[4]), a[6], a[7]};
}
#define EACH_PARAMETER EACH_ELEMENT(stretch_of(call, call->arguments[5]))

/* p - rate (update + decay p) */
HH_INLINE f32x16 stepped(f32x16 p, f32x16 update, f32x16 decay, f32x16 minus_rate) {
  return fma16(fma16(p, decay, update), minus_rate, p);
}

/* p += first */
static void accumulate(const hh_call *call) {
  const optimizer_operands s = operands_of(call);
  EACH_PARAMETER store_some(s.p + i, add16(load_next(s.p + i, left), load_next(s.first + i, left)), left);
}

/* Adam with decoupled weight decay. first, second: running means of the gradient and of its square; third: the gradient,
 * set to 0. Scalars: learning rate, beta1, beta2, eps, weight decay, 1 - beta1^t, 1 - beta2^t, gradient's factor. */
static void adamw(const hh_call *call) {
  const optimizer_operands s = operands_of(call);
  const float *k = s.scalars;
  const f32x16 beta1 = splat16(k[1]), beta2 = splat16(k[2]), rest1 = splat16(1.0f - k[1]), rest2 = splat16(1.0f - k[2]);
  const f32x16 eps = splat16(k[3]), decay = splat16(s.decays ? k[4] : 0.0f), minus_rate = splat16(-k[0]);
  const f32x16 mean_factor = splat16(1.0f / k[5]), square_factor = splat16(1.0f / k[6]), factor = splat16(k[7]);
  EACH_PARAMETER {
    const f32x16 g = mul16(load_next(s.third + i, left), factor);
    const f32x16 mean = fma16(load_next(s.first + i, left), beta1, mul16(g, rest1));
    const f32x16 square = fma16(load_next(s.second + i, left), beta2, mul16(mul16(g, g), rest2));
    const f32x16 root = add16(sqrt16(mul16(square, square_factor)), eps);
    const f32x16 update = div16(mul16(mean, mean_factor), root);
    store_some(s.first + i, mean, left);
    store_some(s.second + i, square, left);
    store_some(s.third + i, splat16(0.0f), left);
    store_some(s.p + i, stepped(load_next(s.p + i, left), update, decay, minus_rate), left);
  }
}

/* Stochastic gradient descent with momentum. first: velocity; third: the gradient, set to 0. Scalars: learning rate,
 * momentum, weight decay, gradient's factor. */
static void sgd(const hh_call *call) {
  const optimizer_operands s = operands_of(call);
  const float *k = s.scalars;
  const f32x16 momentum = splat16(k[1]), decay = splat16(s.decays ? k[2] : 0.0f), minus_rate = splat16(-k[0]);
  const f32x16 factor = splat16(k[3]);
  EACH_PARAMETER {
    const f32x16 g = mul16(load_next(s.third + i, left), factor);
    const f32x16 velocity = fma16(load_next(s.first + i, left), momentum, g);
    const f32x16 update = s.nesterov ? fma16(velocity, momentum, g) : velocity;
    store_some(s.first + i, velocity, left);
    store_some(s.third + i, splat16(0.0f), left);
    store_some(s.p + i, stepped(load_next(s.p + i, left), update, decay, minus_rate), left);
  }
}

HH_INLINE f32x16 sign16(f32x16 a) {
  const f32x16 zero = splat16(0.0f), one = splat16(1.0f);
  return where_less(zero, a, one, where_less(a, zero, splat16(-1.0f), zero));
}

/* Chen et al., 2023 (arXiv:2302.06675). first: running mean; third: the gradient, set to 0. Scalars: learning rate,
 * beta1, beta2, weight decay, gradient's factor. */
static void lion(const hh_call *call) {
  const optimizer_operands s = operands_of(call);
  const float *k = s.scalars;
  const f32x16 beta1 = splat16(k[1]), beta2 = splat16(k[2]), rest1 = splat16(1.0f - k[1]), rest2 = splat16(1.0f - k[2]);
  const f32x16 decay = splat16(s.decays ? k[3] : 0.0f), minus_rate = splat16(-k[0]), factor = splat16(k[4]);
  EACH_PARAMETER {
    const f32x16 g = mul16(load_next(s.third + i, left), factor), mean = load_next(s.first + i, left);
    const f32x16 update = sign16(fma16(mean, beta1, mul16(g, rest1)));
    store_some(s.first + i, fma16(mean, beta2, mul16(g, rest2)), left);
    store_some(s.third + i, splat16(0.0f), left);
    store_some(s.p + i, stepped(load_next(s.p + i, left), update, decay, minus_rate), left);
  }
}

/* What Muon makes orthogonal. p: velocity; first: the result; third: the gradient, set to 0. Scalars: momentum,
 * gradient's factor. */
static void momentum(const hh_call *call) {
  const optimizer_operands s = operands_of(call);
  const f32x16 factor = splat16(s.scalars[1]), keeps = splat16(s.scalars[0]);
  EACH_PARAMETER {
    const f32x16 g = mul16(load_next(s.third + i, left), factor);
    const f32x16 velocity = fma16(load_next(s.p + i, left), keeps, g);
    store_some(s.p + i, velocity, left);
    store_some(s.third + i, splat16(0.0f), left);
    store_some(s.first + i, s.nesterov ? fma16(velocity, keeps, g) : velocity, left);
  }
}

/* first: the update. Scalars: learning rate, factor of the update, weight decay. */
static void apply_update(const hh_call *call) {
  const optimizer_operands s = operands_of(call);
  const float *k = s.scalars;
  const f32x16 minus_rate = splat16(-k[0]), factor = splat16(k[1]), decay = splat16(s.decays ? k[2] : 0.0f);
  EACH_PARAMETER {
    const f32x16 update = mul16(load_next(s.first + i, left), factor);
    store_some(s.p + i, stepped(load_next(s.p + i, left), update, decay, minus_rate), left);
  }
}

/* p: an average of the parameter `first` over steps. Scalars: how much of p stays. */
static void moving_average(const hh_call *call) {
  const optimizer_operands s = operands_of(call);
  const f32x16 moves = splat16(1.0f - s.scalars[0]);
  EACH_PARAMETER {
    const f32x16 average = load_next(s.p + i, left);
    store_some(s.p + i, fma16(sub16(load_next(s.first + i, left), average), moves, average), left);
  }
}
