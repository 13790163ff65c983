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
  struct Terms : activations::Gradients<V> {
    friend Terms operator+(const Terms& a, const Terms& b) { return {{a.x, a.parameter + b.parameter}}; }
    template <class Wide>
    friend Wide operator+(const Wide& a, const Terms& b) {
      return a + b.parameter;
    }
  };
  template <class V>
  static Terms<V> terms(V, V x, V g, V p) {
    return {A::gradients(x, g, p)};
  }
  template <class V>
  static V early(const Terms<V>& terms) {
    return terms.x;
  }
  /// Sum may be wider than Terms.
  template <class V, class Sum>
  static auto state(V, const Sum& sum, V) {
    if constexpr (std::is_same_v<Sum, Terms<V>>) {
      return sum.parameter;
    } else {
      return sum;
    }
  }
  template <class Sum>
  static Sum result(const Sum& sum) {
    return sum;
  }
};

struct prelu_backward : learnable<activations::prelu> {};
struct swish_backward : learnable<activations::swish> {};

}  // namespace fastact::rowwise
