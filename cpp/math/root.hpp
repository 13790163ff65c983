#pragma once

#include <type_traits>

#include "math/pair.hpp"
#include "math/tables.hpp"

namespace fastact::math {

/// Beside a derivative's root at r0 the general formula cancels. There the float derivative is
/// value + (x - root)(slope + rest(x - root)), where root is the float nearest r0 and value the derivative there:
/// x - root is exact, so the result is good to its last bit however near x is to r0. In double the general formula,
/// carried in pairs, stays within 2^-52 of the exact value, as promised.
template <class R, class V>
V near_root(V x, V elsewhere) {
  if constexpr (std::is_same_v<typename V::Element, float>) {
    const V r = x - V(R::root);
    const V near = fma(r, V(R::slope), fma(r, polynomial(r, R::rest), V(R::value)));
    return select(abs(r) < V(R::width), near, elsewhere);
  } else {
    return elsewhere;
  }
}

}  // namespace fastact::math
