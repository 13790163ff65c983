// Numbers that take the place of subnormal inputs.
#pragma once

#include "math/pair.hpp"
#include "math/subnormal.hpp"

/// Subnormal inputs are lifted, that is, multiplied by a power of two, and results are lowered again. This is possible
/// for functions that are linear in a number g and, near x = 0, either proportional to x or constant to within the
/// rounding error. The result of ordinary numbers is the same.
namespace fastact::math {

/// `least`, the number below which |x| is lifted, or 0 where a parameter is very large or very small.
template <class V>
V unless_extreme(V parameter, V least) {
  const V zero = 0.0, size = abs(parameter);
  const V ordinary = select(size >= V(0x1p-20), select(size <= V(0x1p20), least, zero), zero);
  return select(size == zero, least, ordinary);
}

/// A number that takes the place of an input. Where `down` is not 0 it is lifted, and `unlifted` divides a proportional
/// result with `down`.
template <class V>
struct LiftedInput {
  V number, down;
};
/// x, which is replaced where |x| < least: by a number below `power` or, with `to_zero`, by 0.
template <class V>
LiftedInput<V> lifted_below(V least, V x, double power, bool to_zero = false) {
  const auto is_less = abs(x) < least;
  return {select(is_less, to_zero ? copysign(V(0.0), x) : lifted_subnormal(x, V(power)), x),
          select(is_less, V(power / 2), V(0.0))};
}
/// x, where g is lifted already. Where the pass is `quadratic` (Traits::quadratic), 0 takes the place of a subnormal
/// number unless g is huge.
template <class V>
LiftedInput<V> lifted_argument(V x, LiftedInput<V> g, V least, bool quadratic) {
  const V lifts = quadratic ? select(abs(g.number) < V(0x1p100), least, V(0.0)) : least;
  return lifted_below(lifts, x, Subnormal<typename V::Element>::small, quadratic);
}
template <class V>
LiftedInput<V> lifted_gradient(V g) {
  return lifted_below(V(Subnormal<typename V::Element>::least_normal), g, 1.0);
}
/// Returns the number 1, not lifted, which passes without a gradient take for one.
template <class V>
LiftedInput<V> no_gradient() {
  return {1.0, 0.0};
}

/// The result of the numbers themselves, where y is that of the lifted ones.
template <class V>
V lowered(V y, V down_of_x, LiftedInput<V> g) {
  const V proportional = select(abs(y) * 0x1p30 < abs(g.number), down_of_x, V(0.0));
  return always_unlifted(y, g.down.plus_bits(proportional));
}

/// The number below which |x| is lifted with these parameters.
template <class V, class... P>
V least_unlifted(P... parameters) {
  V least = Subnormal<typename V::Element>::least_normal;
  ((least = unless_extreme(parameters, least)), ...);
  return least;
}
/// Returns f(x, p…), computed from lifted x.
template <bool quadratic, class F, class V, class... P>
V value_from_lifted(F f, V x, P... p) {
  const LiftedInput<V> lifted = lifted_argument(x, no_gradient<V>(), least_unlifted<V>(p...), quadratic);
  return lowered(f(lifted.number, p...), lifted.down, no_gradient<V>());
}
/// Returns the gradient f(x, g, p…), computed from lifted x and g; f is linear in g.
template <bool quadratic, class F, class V, class... P>
V gradient_from_lifted(F f, V x, V g, P... p) {
  const LiftedInput<V> once = lifted_gradient(g), lifted = lifted_argument(x, once, least_unlifted<V>(p...), quadratic);
  const V y = f(lifted.number, once.number, p...), result = lowered(y, lifted.down, once);
  return all(is_finite(y)) ? result : select(is_finite(y), result, f(x, g, p...));
}

}  // namespace fastact::math
