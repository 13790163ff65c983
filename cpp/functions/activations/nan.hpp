// Propagates NaN where a formula does not.
#pragma once

namespace fastact::activations {

/// y, or NaN where x is NaN. For functions whose formula does not depend on x everywhere.
template <class V>
V keep_nan(V x, V y) {
  return select(x == x, y, x);
}

}  // namespace fastact::activations
