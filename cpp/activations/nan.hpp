#pragma once

namespace fastact::activations {

/// y, but NaN where x is: for pieces whose value does not depend on x.
template <class V>
V keep_nan(V x, V y) {
  return select(x == x, y, x);
}

}  // namespace fastact::activations
