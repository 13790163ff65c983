// maxout and its gradient.
#pragma once

#include <array>
#include <limits>

#include "functions/activations/nan.hpp"
#include "functions/rows/row_function.hpp"

namespace fastact::rowwise {

/// The largest of a row, the first of several; NaN if there is one. g goes to it alone. Goodfellow et al., "Maxout
/// networks", 2013.
struct maxout : RowFunction {
  static constexpr std::size_t outputs = 0;
  static constexpr bool nonempty = true, has_sums = false, has_late = false, has_result = true;
  template <class V>
  static V larger(V largest, V x) {
    return select(largest == largest, max(largest, x), largest);
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

struct maxout_backward : maxout {
  static constexpr std::size_t numbers = 1, outputs = 1;
  static constexpr bool has_sums = true, has_late = true, has_result = false;
  template <class V>
  struct Before {
    V largest;
  };
  template <class V>
  static Before<V> before(V largest, V) {
    return {largest};
  }
  /// The number of the first element that is the largest, plus 1; 0 is none. A sum of none and one is the one.
  template <class V>
  struct Sums {
    std::array<V, 2> number;
    void settle() {}
    friend Sums join_chains(Sums a, Sums b) { return a + b; }
    friend Sums operator+(Sums a, Sums b) {
      const V none = 0.0;
      const auto is_less = less(a.number, b.number);
      const auto first = [&](V x, V y) {
        return select(a.number[1] == none, y, select(b.number[1] == none, x, select(is_less, x, y)));
      };
      return {{first(a.number[0], b.number[0]), first(a.number[1], b.number[1])}};
    }
    static typename V::Mask less(const std::array<V, 2>& a, const std::array<V, 2>& b) {
      const V tie = select(a[1] < b[1], V(1.0), V(0.0));
      return select(a[0] == b[0], tie, select(a[0] < b[0], V(1.0), V(0.0))) == V(1.0);
    }
  };
  template <class V>
  static std::array<V, 2> number_of(Position at) {
    const auto [part, within] = at.template number<V>();
    return {part, within + V(1.0)};
  }
  template <class V>
  static void add(Sums<V>& sums, Before<V> row, Position at, V x) {
    const auto number = number_of<V>(at);
    const V none = 0.0;
    const V is_first = select(x == row.largest, select(sums.number[1] == none, V(1.0), none), none);
    for (std::size_t i = 0; i < 2; ++i) sums.number[i] = select(is_first == none, sums.number[i], number[i]);
  }
  template <class V>
  struct After {
    V largest, g;
    std::array<V, 2> number;
  };
  template <class V>
  static After<V> after(V largest, Before<V>, Sums<V> sums, V g) {
    return {largest, g, sums.number};
  }
  template <class V>
  static V late(After<V> row, Position at, V) {
    const auto number = number_of<V>(at);
    const V zero = 0.0;
    const V g = select(number[1] == row.number[1], select(number[0] == row.number[0], row.g, zero), zero);
    return activations::keep_nan(row.largest, g);
  }
};

}  // namespace fastact::rowwise
