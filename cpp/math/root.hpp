#pragma once

#include <type_traits>

#include "math/pair.hpp"
#include "math/tables.hpp"

namespace fastact::math {

/// Beside a derivative's root at r0 the general formula cancels. There the float derivative is
/// value + (x - root)(slope + rest(x - root)), where root is the float nearest r0 and value the derivative there:
/// x - root is exact, so the result is good to its last bit however near x is to r0. x_lo is the low part of an x
/// carried as a pair. In double the general formula, carried in pairs, stays within 2^-52 of the exact value, as
/// promised.
template <class R, class V>
Pair<V> near_root(V x, V x_lo, Pair<V> elsewhere) {
  if constexpr (std::is_same_v<typename V::Element, float>) {
    const Pair<V> r = fast_sum(x - V(R::root), x_lo);
    const V rest = fma(r.hi, polynomial(r.hi, R::rest), fma(r.lo, V(R::slope), V(R::value)));
    return select(abs(r.hi) < V(R::width), rest + product(r.hi, V(R::slope)), elsewhere);
  } else {
    return elsewhere;
  }
}

}  // namespace fastact::math
