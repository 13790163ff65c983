// The backward passes of learnable parameters.
#pragma once

#include "functions/activations/list.hpp"
#include "functions/rows/row_function.hpp"

namespace fastact::rowwise {

/// The backward pass of an activation with a learnable parameter p, one to a row: dx = g f'(x), and dp = Σ g df/dp over
/// the row.
template <class A>
struct learnable : RowFunction {
  constexpr learnable() {
    inputs = 2, numbers = 1, has_largest = false, has_late = false, has_result = true, keeps = true, parameter = true,
    filling = 0;
  }
  template <class V>
  struct Before {
    V p;
  };
  template <class V>
  static Before<V> before(V, V p) {
    return {p};
  }
  template <class V>
  using Sums = Signed<V>;
  template <class V>
  static V add(Sums<V>& sum, Before<V> row, V x, V g) {
    const auto gradients = A::gradients(x, g, row.p);
    sum.add(gradients.parameter.hi);
    sum.lo = sum.lo + gradients.parameter.lo;
    return gradients.x;
  }
  template <class V>
  static math::Pair<V> after(V, Before<V>, Sums<V> sum, V) {
    return {sum.hi, sum.lo};
  }
  template <class V>
  static math::Pair<V> result(math::Pair<V> sum) {
    return sum;
  }
};

struct prelu_backward : learnable<activations::prelu> {};
struct swish_backward : learnable<activations::swish> {};

}  // namespace fastact::rowwise
