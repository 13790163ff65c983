#pragma once

#include <array>
#include <cstddef>
#include <limits>

#include "math/exp.hpp"
#include "math/log1p.hpp"
#include "math/piecewise.hpp"

/// Functions of rows by way of s = Σ e^(x_j - m), m the largest x: at least one term is 1, none overflows. The sums are
/// carried as pairs, and times 2^sum_exponent, so that no term is subnormal; what comes of a term is rid of the factor
/// last.
///
/// A row function is given by some of
///   terms(m, x…, scalars…)    what is summed over the row, of type Terms, with m where `shifted`, else 0
///   early(terms)              what is written in the same sweep
///   state(m, sums, scalars…)  what the rest needs of the row
///   late(state, x…)           what is written in a last sweep; `from_early` takes what early has written in place of
///                             the first x
///   at_label(state)           and what then replaces it at the row's label
///   result(state)             the row's one number
/// on vectors that hold either elements of one row or one element each of several rows. Terms and states consist of
/// vectors alone.
namespace fastact::rowwise {

/// Inputs that are rows, then scalars, one to a row; whether m is wanted.
struct Shape {
  std::size_t rows, scalars;
  bool shifted;            // m is the largest element of the first row
  bool labelled = false;   // the first scalar is x at the row's label
  bool parameter = false;  // the scalar is a learned parameter, and the result its gradient
};

/// A sum of numbers that are not negative, or one of exp_below's.
template <class V>
struct Positive : math::Pair<V> {
  /// Of one number; a float's hi is rounded already.
  V rounded() const {
    if constexpr (math::is_single<V>) return this->hi;
    return this->value();
  }
  friend Positive operator+(Positive a, Positive b) {
    const math::Pair<V> s = math::positive_sum(a.hi, b.hi);
    return {{s.hi, s.lo + (a.lo + b.lo)}};
  }
};

/// Two sums.
template <class V>
struct Both {
  Positive<V> first;
  math::Pair<V> second;
  friend Both operator+(Both a, Both b) { return {a.first + b.first, a.second + b.second}; }
};

template <class V>
V nan() {
  return V(std::numeric_limits<double>::quiet_NaN());
}

/// s - 1, from a sum that keeps the terms below 1 apart from those that are 1: beside a 1 they would lose digits. The
/// ones are counted exactly, up to 2^24 of a float vector's lane.
template <class V>
struct Others {
  Positive<V> below;
  V ones;

  static Others terms(V largest, V x) {
    const auto is_largest = x == largest;
    const V zero = 0.0;
    return {{select(is_largest, {zero, zero}, math::exp_below(x, largest))}, select(is_largest, V(1.0), zero)};
  }
  friend Others operator+(Others a, Others b) { return {a.below + b.below, a.ones + b.ones}; }
  /// Of terms, what softmax writes.
  V value() const {
    return fma(ones, math::exp2_integer(V(math::Constants<typename V::Element>::sum_exponent)), below.rounded());
  }
  math::Pair<V> sum() const { return (ones - 1.0) + math::unscaled(math::Pair<V>(below)); }
};

/// softmax(x) = e^x / Σ e^x. With s = e^(x-m)/Σ, ds_i/dx_j = s_i (δ_ij - s_j), so dx = s (g - Σ g s).
struct softmax {
  static constexpr Shape shape = {.rows = 1, .scalars = 0, .shifted = true};
  template <class V>
  using Terms = Positive<V>;
  template <class V>
  static Terms<V> terms(V largest, V x) {
    return {math::exp_below(x, largest)};
  }
  template <class V>
  static V early(Terms<V> terms) {
    return terms.rounded();
  }
  template <class V>
  struct State {
    V largest;
    math::Pair<V> inverse;
  };
  template <class V>
  static State<V> state(V largest, math::Pair<V> sum) {
    const math::Pair<V> inverse = math::Pair<V>{1.0, 0.0} / math::Divisor<V>(math::unscaled(sum));
    const V nothing = 0.0625 * math::Subnormal<typename V::Element>::nothing;
    const V lo = select(abs(inverse.lo) < nothing * inverse.hi, V(0.0), inverse.lo);  // see subnormal.hpp
    return {largest, {select(math::is_finite(largest), inverse.hi, nan<V>()), lo}};
  }
  template <class V>
  static V late(State<V> s, V x) {
    return from_early(s, early(terms(s.largest, x)));
  }
  template <class V>
  static V from_early(State<V> s, V early) {
    return math::unscaled(fma(early, s.inverse.hi, early * s.inverse.lo));
  }
};

struct softmax_backward {
  static constexpr Shape shape = {.rows = 2, .scalars = 0, .shifted = true};
  template <class V>
  using Terms = Both<V>;
  template <class V>
  static Terms<V> terms(V largest, V x, V g) {
    const math::Pair<V> e = math::exp_below(x, largest);
    return {{e}, math::unscaled_product(g, e)};
  }
  template <class V>
  struct State {
    softmax::State<V> y;
    math::Pair<V> mean;  // Σ g s
  };
  template <class V>
  static State<V> state(V largest, Both<V> sums) {
    const math::Pair<V> sum = sums.first;
    return {softmax::state(largest, sum), sums.second / math::Divisor<V>(math::unscaled(sum))};
  }
  template <class V>
  static V early(Terms<V> terms) {
    return softmax::early(terms.first);
  }
  template <class V>
  static V late(State<V> s, V x, V g) {
    return from_early(s, softmax::early(softmax::terms(s.y.largest, x)), g);
  }
  template <class V>
  static V from_early(State<V> s, V early, V g) {
    return math::unscaled_product(g + -s.mean, early * s.y.inverse).value();
  }
};

struct softmax_backward_from_output {
  static constexpr Shape shape = {.rows = 2, .scalars = 0, .shifted = false};
  template <class V>
  using Terms = math::Pair<V>;
  template <class V>
  static Terms<V> terms(V, V y, V g) {
    return math::any_product(g, y);
  }
  template <class V>
  static math::Pair<V> state(V, math::Pair<V> sum) {
    return sum;
  }
  template <class V>
  static V late(math::Pair<V> mean, V y, V g) {
    return math::any_product(g + -mean, y).value();
  }
};

/// log_softmax(x) = x - m - log s; dx = g - softmax(x) Σ g. x - m and -log s are of one sign: nothing cancels.
struct log_softmax {
  static constexpr Shape shape = {.rows = 1, .scalars = 0, .shifted = true};
  template <class V>
  using Terms = Others<V>;
  template <class V>
  static Terms<V> terms(V largest, V x) {
    return Others<V>::terms(largest, x);
  }
  template <class V>
  struct State {
    V largest;
    math::Pair<V> log_sum;
  };
  template <class V>
  static State<V> state(V largest, Others<V> others) {
    return {select(math::is_finite(largest), largest, nan<V>()), math::log1p_of_sum(others.sum())};
  }
  template <class V>
  static V late(State<V> s, V x) {
    return (math::sum(x, -s.largest) + -s.log_sum).value_or_infinity();
  }
};

struct log_softmax_backward {
  static constexpr Shape shape = {.rows = 2, .scalars = 0, .shifted = true};
  template <class V>
  using Terms = Both<V>;
  template <class V>
  static Terms<V> terms(V largest, V x, V g) {
    return {{math::exp_below(x, largest)}, {g, 0.0}};
  }
  template <class V>
  struct State {
    softmax::State<V> y;
    math::Pair<V> total;  // Σ g
  };
  template <class V>
  static State<V> state(V largest, Both<V> sums) {
    return {softmax::state(largest, sums.first), sums.second};
  }
  template <class V>
  static V late(State<V> s, V x, V g) {
    return (g + -math::unscaled_product(s.total, math::exp_below(x, s.y.largest) * s.y.inverse)).value();
  }
};

struct log_softmax_backward_from_output {
  static constexpr Shape shape = {.rows = 2, .scalars = 0, .shifted = false};
  template <class V>
  using Terms = math::Pair<V>;
  template <class V>
  static Terms<V> terms(V, V, V g) {
    return {g, 0.0};
  }
  template <class V>
  static math::Pair<V> state(V, math::Pair<V> sum) {
    return sum;
  }
  template <class V>
  static V late(math::Pair<V> total, V y, V g) {
    const auto below = [](V v, V gradient, math::Pair<V> sum) {
      return (gradient + -math::unscaled_product(sum, math::exp_in_sum(math::Pair<V>{v, math::none}))).value();
    };
    const auto general = [](V v, V gradient, math::Pair<V> sum) {
      const math::Exponential<V> e = math::exp<true>(v);
      const math::Pair<V> share = e.significand * sum;
      const math::Pair<V> scaled = {math::scale(share.hi, e.tail), math::scale(share.lo, e.tail)};
      return (gradient + -scaled).value();
    };
    return math::mostly(y <= V(0.0), below, general, y, g, total);
  }
};

/// log Σ e^x = m + log s; dx = g softmax(x).
struct logsumexp {
  static constexpr Shape shape = {.rows = 1, .scalars = 0, .shifted = true};
  template <class V>
  using Terms = Others<V>;
  template <class V>
  static Terms<V> terms(V largest, V x) {
    return Others<V>::terms(largest, x);
  }
  /// The largest and the sum less 1, which is NaN where an element is.
  template <class V>
  struct State {
    V largest;
    math::Pair<V> others;
  };
  template <class V>
  static State<V> state(V largest, Others<V> others) {
    return {largest, others.sum()};
  }
  template <class V>
  static V result(State<V> s) {
    const V value = (s.largest + math::log1p_of_sum(s.others)).value();
    const V others = s.others.hi;
    return select(math::is_finite(s.largest), value, select(others == others, s.largest, others));
  }
  /// Where m and log s cancel so far that a float needs them in double.
  template <class V>
  static typename V::Mask cancels(State<V> s, V result) {
    return abs(result) < -0.25 * s.largest;
  }
};

struct logsumexp_backward {
  static constexpr Shape shape = {.rows = 1, .scalars = 1, .shifted = true};
  template <class V>
  using Terms = Positive<V>;
  template <class V>
  static Terms<V> terms(V largest, V x, V) {
    return softmax::terms(largest, x);
  }
  template <class V>
  struct State {
    softmax::State<V> y;
    V g;
  };
  template <class V>
  static State<V> state(V largest, Positive<V> sum, V g) {
    return {softmax::state(largest, sum), g};
  }
  template <class V>
  static V early(Terms<V> terms) {
    return softmax::early(terms);
  }
  template <class V>
  static V late(State<V> s, V x) {
    return from_early(s, softmax::early(softmax::terms(s.y.largest, x)));
  }
  template <class V>
  static V from_early(State<V> s, V early) {
    return math::unscaled_product(s.g, early * s.y.inverse).value();
  }
};

/// The cross-entropy of softmax(x) and the label l, -log softmax(x)_l = (m - x_l) + log s; dx = g (softmax(x) - δ_l).
struct softmax_cross_entropy {
  static constexpr Shape shape = {.rows = 1, .scalars = 1, .shifted = true, .labelled = true};
  template <class V>
  using Terms = Others<V>;
  template <class V>
  static Terms<V> terms(V largest, V x, V) {
    return Others<V>::terms(largest, x);
  }
  template <class V>
  static V state(V largest, Others<V> others, V labelled) {
    return V(0.0) - log_softmax::late(log_softmax::state(largest, others), labelled);
  }
  template <class V>
  static V result(V loss) {
    return loss;
  }
};

struct softmax_cross_entropy_backward {
  static constexpr Shape shape = {.rows = 1, .scalars = 2, .shifted = true, .labelled = true};
  template <class V>
  using Terms = Others<V>;
  template <class V>
  static Terms<V> terms(V largest, V x, V, V) {
    return Others<V>::terms(largest, x);
  }
  template <class V>
  struct State {
    softmax::State<V> y;
    V at_label, g;
  };
  /// At the label, softmax - 1 is minus the other terms' share of the sum: nothing cancels.
  template <class V>
  static State<V> state(V largest, Others<V> others, V labelled, V g) {
    const V one = 1.0;
    const math::Pair<V> below = others.sum(), sum = one + below;
    const V scale = math::exp2_integer(V(math::Constants<typename V::Element>::sum_exponent));
    softmax::State<V> y = softmax::state(largest, math::Pair<V>{sum.hi * scale, sum.lo * scale});
    y.inverse.hi = select(labelled == labelled, y.inverse.hi, nan<V>());  // a row without its label
    const math::Pair<V> rest = below + (one + -math::unscaled(math::exp_below(labelled, largest)));
    const V at_label = (-g * (select(labelled == largest, below, rest) / math::Divisor<V>(sum))).value();
    return {y, select(math::is_finite(largest), at_label, nan<V>()), g};
  }
  template <class V>
  static V early(Terms<V> terms) {
    return terms.value();
  }
  template <class V>
  static V late(State<V> s, V x) {
    return from_early(s, softmax::early(softmax::terms(s.y.largest, x)));
  }
  template <class V>
  static V from_early(State<V> s, V early) {
    return math::unscaled_product(s.g, early * s.y.inverse).value();
  }
  template <class V>
  static V at_label(State<V> s) {
    return s.at_label;
  }
};

}  // namespace fastact::rowwise
