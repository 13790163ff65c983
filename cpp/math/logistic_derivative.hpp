// Derivatives of x σ(w).
#pragma once

#include "math/constants.hpp"
#include "math/exp.hpp"
#include "math/pair.hpp"

namespace fastact::math {

/// The derivative of x σ(w), where w is a function of x, by = 1 + e^-w and z = x w'. With h = 1/by, it is h s with
/// s = 1 + z (1 - h). For floats at most R::width from the root, it is the polynomial of near_root. Both forms end as a
/// product and a small rest, which are selected. Where `by` is divided by a power of two, the result is multiplied by
/// it. Valid range: that of `by`. Max error: 2^-26 (float) relative, or 2^-53 (double) of h. Source: one_plus_exp and
/// constants.py.
template <class R, class V>
Pair<V> logistic_product_derivative(V x, const Divisor<V>& by, Pair<V> z) {
  const V h = by.inverse, excess = fma(h, by.d.lo, fma(h, by.d.hi, V(-1.0)));
  const Pair<V> rest = fast_sum(V(1.0), -h), p = product(z.hi, rest.hi);
  const Pair<V> s = fast_sum(V(1.0), p.hi);  // exact if |p| >= 1/2
  // The derivative of h s with respect to h is s - z h.
  const V low = s.lo + fma(z.hi, rest.lo, fma(z.lo, rest.hi, p.lo)), change = fma(-z.hi, h, s.hi);
  const V far = h * fma(-excess, change, low);
  if constexpr (!is_single<V>) return {h * s.hi, fma(h, s.hi, -(h * s.hi)) + far};
  const V r = x - V(R::root), near = fma(r, polynomial(r, R::rest), V(R::value));
  const auto is_near = abs(r) < V(R::width);
  const V factor = select(is_near, r, h), slope = select(is_near, V(R::slope), s.hi);
  const V last = select(is_near, near, far);
  const V hi = factor * slope;
  return {hi, fma(factor, slope, -hi) + last};
}

}  // namespace fastact::math
