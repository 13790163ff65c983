// Derivatives near a root.
#pragma once

#include "math/constants.hpp"
#include "math/pair.hpp"

namespace fastact::math {

/// The derivative d at x + x_lo near its root r0, where the general formula cancels, and `elsewhere` farther from it
/// than R::width. d(x) = value + (x - root)(slope + rest(x - root)), where root is the float nearest to r0 and value is
/// d(root). x - root is exact, so the result is accurate however near x is to r0. Valid range: every float; double
/// needs no such formula, because the error of its pairs is below 2^-52 near the root. Max error: that of the
/// polynomial in constants.hpp. Source: constants.py.
template <class R, class V>
Pair<V> near_root(V x, V x_lo, Pair<V> elsewhere) {
  if constexpr (!is_single<V>) return elsewhere;
  const Pair<V> r = fast_sum(x - V(R::root), x_lo);
  const V rest = fma(r.hi, polynomial(r.hi, R::rest), fma(r.lo, V(R::slope), V(R::value)));
  return select(abs(r.hi) < V(R::width), rest + product(r.hi, V(R::slope)), elsewhere);
}

}  // namespace fastact::math
