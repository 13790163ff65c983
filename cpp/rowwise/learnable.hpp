#pragma once

#include "activations/list.hpp"
#include "rowwise/softmax.hpp"

namespace fastact::rowwise {

/// The backward pass of an activation with a learnable parameter p, one to a row: dx = g f'(x), and dp = Σ g df/dp over
/// the row.
template <class A>
struct learnable {
  static constexpr Shape shape = {.rows = 2, .scalars = 1, .shifted = false, .parameter = true};
  template <class V>
  using Terms = math::Pair<V>;
  template <class V>
  static Terms<V> terms(V, V x, V g, V p) {
    return A::parameter_backward(x, g, p);
  }
  template <class V>
  static V early(Terms<V>, V x, V g, V p) {
    return activations::gradient<A>(x, g, p);
  }
  template <class V, class Sum>
  static Sum state(V, Sum sum, V) {
    return sum;
  }
  template <class Sum>
  static Sum result(Sum sum) {
    return sum;
  }
};

struct prelu_backward : learnable<activations::prelu> {};
struct swish_backward : learnable<activations::swish> {};

}  // namespace fastact::rowwise
