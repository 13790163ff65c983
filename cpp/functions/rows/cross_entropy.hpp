// The cross-entropy of softmax and a label or probabilities, and its gradients.
#pragma once

#include <cstddef>

#include "functions/rows/softmax.hpp"

namespace fastact::rowwise {

/// The cross-entropy of softmax(x) and the label l, -log softmax(x)_l = (m + log s) - x_l; dx = g (softmax(x) - δ_l).
struct softmax_cross_entropy : Logarithm {
  constexpr softmax_cross_entropy() {
    numbers = 1, outputs = 0, labelled = true, has_result = true, has_late = false, maskable = false, of_nothing = 0;
  }
  template <class V>
  static V after(V largest, Before<V> row, Sums<V> sums, V labelled_x) {
    const math::Pair<V> s = log_softmax::after(largest, row, sums);
    return (s.hi - labelled_x) + s.lo;
  }
  template <class V>
  static V result(V loss) {
    return loss;
  }
};

struct softmax_cross_entropy_backward : Logarithm {
  constexpr softmax_cross_entropy_backward() {
    numbers = 2, labelled = true, writes_label = true, keeps = true, maskable = false, of_nothing = 0;
  }
  template <class V>
  static V add(Sums<V>& sums, Before<V> row, V x) {
    const auto is_largest = x == row.largest;
    const math::Term<V> t = row.term_of(x);
    sums.below.add({select(is_largest, V(0.0), t.power), t.rest});
    sums.largest = select(is_largest, sums.largest + V(1.0), sums.largest);
    return t.value();
  }
  template <class V>
  struct After {
    Factor<V> share;
    V at_label;
  };
  /// At the label, softmax(x) - 1 is computed as minus the share of the other terms, so that nothing cancels.
  template <class V>
  static After<V> after(V largest, Before<V> row, Sums<V> sums, V labelled_x, V g) {
    const V one = 1.0;
    const math::Term<V> own = own_term(row.term_of, largest);
    const math::Pair<V> excess = sums.excess(own), sum = one + excess;
    const math::Pair<V> of_label = row.term_of(labelled_x).pair() / math::Divisor<V>(own.pair());
    const math::Pair<V> others = select(labelled_x == largest, excess, excess + (one + -of_label));
    const V usable = select(labelled_x == labelled_x, largest, nan<V>());  // a row may lack its label
    const V at_label = (-g * (others / math::Divisor<V>(sum))).value();
    return {factor(g, sums.total(own), row.term_of, usable), select(math::is_finite(usable), at_label, nan<V>())};
  }
  template <class V>
  static V late(After<V> row, V e) {
    return row.share * e;
  }
  template <class V>
  static V at_label(After<V> row) {
    return row.at_label;
  }
};

/// The loss and its gradient for g = 1. The loss is the logarithm of a sum that the gradient needs too.
struct softmax_cross_entropy_with_gradient : softmax_cross_entropy_backward {
  constexpr softmax_cross_entropy_with_gradient() { numbers = 1, has_result = true, result_first = true; }
  template <class V>
  struct After {
    softmax_cross_entropy_backward::After<V> gradient;
    V loss;
  };
  template <class V>
  static After<V> after(V largest, Before<V> row, Sums<V> sums, V labelled_x) {
    return {softmax_cross_entropy_backward::after(largest, row, sums, labelled_x, V(1.0)),
            softmax_cross_entropy::after(largest, row, sums, labelled_x)};
  }
  template <class V>
  static V late(After<V> row, V e) {
    return softmax_cross_entropy_backward::late(row.gradient, e);
  }
  template <class V>
  static V at_label(After<V> row) {
    return row.gradient.at_label;
  }
  template <class V>
  static V result(After<V> row) {
    return row.loss;
  }
};

/// The cross-entropy of softmax(x) and targets p, -Σ a_c log softmax(x)_c with a_c = w_c q_c and q = (1 - s) p + s/n,
/// the targets smoothed by s. With m the largest x it is Σ a_c (m - x_c) plus
/// A log Σ e^(x - m), A = Σ a_c: nothing cancels unless an a_c is negative. A class with a_c = 0 adds nothing, whatever
/// its x. The differences are halved so that they do not overflow; where halving could round them, the logarithm is far
/// larger.
struct weighted_cross_entropy : Logarithm {
  constexpr weighted_cross_entropy() {
    inputs = 3, outputs = 0, settings = 3, targets = true, has_result = true, has_late = false, maskable = false,
    of_nothing = 0;
  }
  /// q = kept p + share.
  template <class V>
  struct Smoothing {
    math::Pair<V> kept, share;
    /// a = w q. Max error: 8u² relative to the larger of w kept p and w share.
    math::Pair<V> weigh(V p, V w) const { return w * (p * kept + share); }
  };
  template <class V>
  struct Before {
    Logarithm::Before<V> logarithm;
    Smoothing<V> smoothing;
  };
  template <class V>
  static Before<V> before(V largest, V smoothing, V smoothing_lo, V n) {
    const math::Pair<V> s = {smoothing, smoothing_lo};
    return {Logarithm::before(largest), {V(1.0) + -s, s / math::Divisor<V>({n, V(0.0)})}};
  }
  template <class V>
  struct Sums {
    Others<V> terms;
    Signed<V> half_distance, weight;
    void settle() { terms.settle(); }
    friend Sums join_chains(Sums a, Sums b) {
      return {join_chains(a.terms, b.terms), a.half_distance + b.half_distance, a.weight + b.weight};
    }
    friend Sums operator+(Sums a, Sums b) {
      return {a.terms + b.terms, a.half_distance + b.half_distance, a.weight + b.weight};
    }
  };
  template <class V>
  static void add_target(Sums<V>& sums, Before<V> row, V x, V p, V w) {
    const V half = 0.5, zero = 0.0;
    const math::Pair<V> a = row.smoothing.weigh(p, w), d = math::sum(half * row.logarithm.largest, -half * x);
    const math::Pair<V> distance = select(a.hi == zero, math::Pair<V>{zero, zero}, a * d);
    sums.half_distance.add(distance);
    sums.weight.add(a);
  }
  template <class V>
  static void add(Sums<V>& sums, Before<V> row, V x, V p, V w) {
    Logarithm::add(sums.terms, row.logarithm, x);
    add_target(sums, row, x, p, w);
  }
  template <class V, class... Numbers>
  static V after(V largest, Before<V> row, Sums<V> sums, Numbers...) {
    const math::Term<V> own = own_term(row.logarithm.term_of, largest);
    const math::Pair<V> excess = sums.terms.excess(own), weight = sums.weight.pair();
    // A subnormal excess has lost digits that a large weight would make visible.
    const math::Pair<V> of_little = (weight * sums.terms.below.pair()) / math::Divisor<V>(own.pair());
    const V little = math::exp2_integer(V(-math::Reference<V>::lift));
    const math::Pair<V> of_logarithm = select(excess.hi < little, of_little, weight * math::log1p_of_sum(excess));
    const V two = 2.0, distance = two * sums.half_distance.hi;
    const math::Pair<V> s = math::sum(distance, of_logarithm.hi);
    const math::Pair<V> loss = {s.hi, s.lo + fma(two, sums.half_distance.lo, of_logarithm.lo)};
    return select(math::is_finite(largest), loss.value_or_infinity(), nan<V>());
  }
  template <class V>
  static V result(V loss) {
    return loss;
  }
};

/// dx = g (A softmax(x) - a), and the loss, if it is wanted.
struct weighted_cross_entropy_backward : weighted_cross_entropy {
  constexpr weighted_cross_entropy_backward() {
    numbers = 1, outputs = 1, has_late = true, keeps = true, result_first = true;
  }
  template <class V>
  static Before<V> before(V largest, V, V smoothing, V smoothing_lo, V n) {
    return weighted_cross_entropy::before(largest, smoothing, smoothing_lo, n);
  }
  template <class V>
  static V add(Sums<V>& sums, Before<V> row, V x, V p, V w) {
    add_target(sums, row, x, p, w);
    return softmax_cross_entropy_backward::add(sums.terms, row.logarithm, x);
  }
  template <class V>
  struct After {
    Factor<V> share;
    Smoothing<V> smoothing;
    V g, loss;
  };
  template <class V, class... Settings>
  static After<V> after(V largest, Before<V> row, Sums<V> sums, V g, Settings...) {
    const math::Pair<V> total = sums.terms.total(own_term(row.logarithm.term_of, largest));
    return {factor(g * sums.weight.pair(), total, row.logarithm.term_of, largest), row.smoothing, g,
            weighted_cross_entropy::after(largest, row, sums)};
  }
  template <class V>
  static V late(After<V> row, V e, V p, V w) {
    const math::Pair<V> a = row.smoothing.weigh(p, w);
    const math::Pair<V> y = row.share.product(e);
    return math::Pair<V>{fma(-row.g, a.hi, y.hi), fma(-row.g, a.lo, y.lo)}.value_or_infinity();
  }
  template <class V>
  static V result(After<V> row) {
    return row.loss;
  }
};

}  // namespace fastact::rowwise
