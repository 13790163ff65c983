// maxout and its gradient.
#pragma once

#include <cstddef>

#include "functions/activations/nan.hpp"
#include "functions/rows/row_function.hpp"

namespace fastact::rowwise {

/// The largest element of a row, or NaN if the row contains one. The gradient goes to the largest element alone, to the
/// first one of several. Goodfellow et al., "Maxout networks", 2013.
struct maxout : RowFunction {
  constexpr maxout() { outputs = 0, nonempty = true, has_sums = false, has_late = false, has_result = true; }
  template <class V>
  static V larger(V largest, V x) {
    return activations::keep_nan(x, max(x, largest));  // so that only the maximum waits for the one before
  }
  /// 0 for -0: which of them came first would depend on the order.
  template <class V>
  static V after(V largest, Nothing, Nothing) {
    return largest + 0.0;
  }
  template <class V>
  static V result(V largest) {
    return largest;
  }
};

/// g is written wherever x is the largest, and taken back behind the first such x where there are several.
struct maxout_backward : maxout {
  constexpr maxout_backward() {
    numbers = 1, outputs = 1, has_sums = true, has_result = false, keeps = true, keeps_first = true;
  }
  template <class V>
  struct Before {
    V largest, g, other;
  };
  template <class V>
  static Before<V> before(V largest, V g) {
    return {largest, g, activations::keep_nan(largest, V(0.0))};
  }
  template <class V>
  struct Sums {
    V count;
    void settle() {}
    friend Sums join_chains(Sums a, Sums b) { return a + b; }
    friend Sums operator+(Sums a, Sums b) { return {a.count + b.count}; }
  };
  template <class V>
  static V add(Sums<V>& sums, Before<V> row, V x) {
    const auto is_largest = x == row.largest;
    sums.count = select(is_largest, sums.count + V(1.0), sums.count);
    return select(is_largest, row.g, row.other);
  }
  template <class V>
  static V after(V, Before<V>, Sums<V> sums, V) {
    return sums.count;
  }
};

}  // namespace fastact::rowwise
