// sparsemax and its gradients.
#pragma once

#include <limits>

#include "functions/activations/nan.hpp"
#include "functions/rows/row_function.hpp"
#include "math/pair.hpp"

namespace fastact::rowwise {

/// The Euclidean projection of a row x onto the probability simplex, y = max(x - τ, 0), where τ = (Σ x - 1) / k is
/// taken over the k elements of the support, those with x > τ. Martins and Astudillo, "From softmax to sparsemax",
/// 2016, (3) and proposition 1.
///
/// The support is found without sorting (Michelot, "A finite algorithm for finding the projection of a point onto the
/// canonical simplex of Rⁿ", 1986): the second sweep is repeated with the τ of the elements that were left, until none
/// is dropped. With m the largest element, τ >= m - 1, where it begins. Elements and τ are taken relative to m, as
/// pairs, so that nothing is lost however large m is, and y has small relative error also where x is near τ.
struct sparsemax : RowFunction {
  constexpr sparsemax() { repeats = true; }
  template <class V>
  static V larger(V largest, V x) {
    return select(x > largest, x, activations::keep_nan(x, largest));
  }
  /// m, τ - m and the number of elements greater than τ when it was computed.
  template <class V>
  struct Before {
    V largest;
    math::Pair<V> threshold;
    V count;
  };
  template <class V, class... Numbers>
  static Before<V> before(V largest, Numbers...) {
    return {largest, {-1.0, 0.0}, std::numeric_limits<double>::infinity()};
  }
  /// x - τ.
  template <class V>
  static math::Pair<V> distance(Before<V> row, V x) {
    return math::sum(x, -row.largest) + -row.threshold;
  }
  template <class V>
  static typename V::Mask is_kept(math::Pair<V> distance) {
    return distance.hi + distance.lo > V(0.0);
  }
  template <class V>
  struct Sums {
    Signed<V> x;
    V count;
    void settle() {}
    friend Sums join_chains(Sums a, Sums b) { return a + b; }
    friend Sums operator+(Sums a, Sums b) { return {a.x + b.x, a.count + b.count}; }
  };
  template <class V>
  static void add(Sums<V>& sums, Before<V> row, V x) {
    const auto kept = is_kept(distance(row, x));
    const math::Pair<V> z = select(kept, math::sum(x, -row.largest), {0.0, 0.0});
    sums.x.add(z.hi);
    sums.x.lo = sums.x.lo + z.lo;
    sums.count = sums.count + select(kept, V(1.0), V(0.0));
  }
  template <class V, class Sums>
  static typename V::Mask is_settled(Before<V> row, Sums sums) {
    return row.count <= sums.count;
  }
  /// Returns the threshold and the count for the next sweep. Rows that dropped no element keep theirs.
  template <class V, class Sums>
  static Before<V> next(Before<V> row, Sums sums) {
    const math::Pair<V> n = V(-1.0) + sums.x.pair();
    const V hi = n.hi / sums.count;
    const V lo = (fma(-hi, sums.count, n.hi) + n.lo) / sums.count;
    const auto fewer = sums.count < row.count;
    return {row.largest, select(fewer, math::fast_sum(hi, lo), row.threshold), select(fewer, sums.count, row.count)};
  }
  template <class V, class... Numbers>
  static Before<V> after(V, Before<V> row, Sums<V>, Numbers...) {
    return row;
  }
  /// NaN where the largest is NaN or infinite.
  template <class V>
  static V finite(V largest, V y) {
    return y + (largest - largest);
  }
  template <class V>
  static V late(Before<V> row, V x) {
    const math::Pair<V> d = distance(row, x);
    return finite(row.largest, select(is_kept(d), d.hi + d.lo, V(0.0)));
  }
};

/// On the support, g minus its mean there; 0 elsewhere. (13) of the same.
template <class V>
struct OnSupport {
  V poison;  // NaN or 0
  math::Pair<V> mean;
  OnSupport() = default;
  OnSupport(V poison_of_row, math::Pair<V> total, V count) : poison(poison_of_row) {
    const V hi = total.hi / count;
    mean = {hi, (fma(-hi, count, total.hi) + total.lo) / count};
  }
  V gradient(typename V::Mask kept, V g) const { return select(kept, (g - mean.hi) - mean.lo, V(0.0)) + poison; }
};

struct sparsemax_backward : sparsemax {
  constexpr sparsemax_backward() { inputs = 2; }
  template <class V>
  struct Sums : sparsemax::Sums<V> {
    Signed<V> g;
    void settle() {}
    friend Sums join_chains(Sums a, Sums b) { return a + b; }
    friend Sums operator+(Sums a, Sums b) {
      return {static_cast<const sparsemax::Sums<V>&>(a) + static_cast<const sparsemax::Sums<V>&>(b), a.g + b.g};
    }
  };
  template <class V>
  static void add(Sums<V>& sums, Before<V> row, V x, V g) {
    sparsemax::add<V>(sums, row, x);
    sums.g.add(select(is_kept(distance(row, x)), g, V(0.0)));
  }
  template <class V>
  struct After {
    Before<V> row;
    OnSupport<V> g;
  };
  template <class V>
  static After<V> after(V largest, Before<V> row, Sums<V> sums) {
    return {row, OnSupport<V>(largest - largest, sums.g.pair(), sums.count)};
  }
  template <class V>
  static V late(After<V> after, V x, V g) {
    return after.g.gradient(is_kept(distance(after.row, x)), g);
  }
};

struct sparsemax_backward_from_output : RowFunction {
  constexpr sparsemax_backward_from_output() { inputs = 2, has_largest = false, filling = 0; }
  template <class V>
  struct Sums {
    Signed<V> g;
    V count, poison;
    void settle() {}
    friend Sums join_chains(Sums a, Sums b) { return a + b; }
    friend Sums operator+(Sums a, Sums b) { return {a.g + b.g, a.count + b.count, a.poison + b.poison}; }
  };
  template <class V>
  static void add(Sums<V>& sums, Nothing, V y, V g) {
    const auto kept = y > V(0.0);
    sums.g.add(select(kept, g, V(0.0)));
    sums.count = sums.count + select(kept, V(1.0), V(0.0));
    sums.poison = sums.poison + (y - y);
  }
  template <class V>
  static OnSupport<V> after(V, Nothing, Sums<V> sums) {
    return {sums.poison, sums.g.pair(), sums.count};
  }
  template <class V>
  static V late(OnSupport<V> after, V y, V g) {
    return after.gradient(y > V(0.0), g);
  }
};

}  // namespace fastact::rowwise
