// softmax, log_softmax, logsumexp, and their gradients.
#pragma once

#include <array>
#include <limits>

#include "functions/rows/row_function.hpp"
#include "math/exp.hpp"
#include "math/log1p.hpp"

/// Functions of rows that need s = Σ e^x_j. Terms are relative to the largest element (math/reference.hpp).
namespace fastact::rowwise {

/// A function that sums exponentials. They are added before they are rounded, and kept for the third sweep after
/// rounding.
struct Exponentials : RowFunction {
  constexpr Exponentials() { keeps = true, maskable = true; }
  template <class V>
  using Before = math::Reference<V>;
  template <class V, class... Numbers>
  static Before<V> before(V largest, Numbers...) {
    return Before<V>::of(largest);
  }
  template <class V>
  using Sums = Terms<V>;
  template <class V>
  static V add(Sums<V>& sum, Before<V> term_of, V x) {
    const math::Term<V> t = term_of(x);
    sum.add(t);
    return t.value();
  }
};

/// The product c e 2^-lift of a number c of the row and a lifted term e. c is multiplied by a power of two, so that the
/// product neither overflows nor loses digits to underflow; the inverse power is multiplied last.
///
/// The largest element's product is computed from its exponential before rounding: softmax of one element is exactly 1,
/// and equal elements have equal parts.
template <class V>
struct Factor {
  math::Pair<V> c;
  V power;        // the inverse power
  V least;        // the least term whose product is a normal number
  V own, of_own;  // the largest element's exponential, and its product

  /// Subnormal low parts would be slow to add, and are negligible.
  static Factor of(math::Pair<V> c, math::Pair<V> own) {
    using math::exp2_integer, math::Reference;
    const V one = 1.0, size = abs(c.hi), down = exp2_integer(V(-Reference<V>::lift)),
            up = exp2_integer(V(Reference<V>::lift_of_small));
    const auto is_large = size > V(0x1p30), is_small = size < V(0x1p-40);
    const V scale = select(is_large, down, select(is_small, up, one));
    const V power = select(is_large, one, select(is_small, down / up, down));
    const V hi = c.hi * scale, lo = c.lo * scale, little = V(0x1p-60) * abs(hi);
    const math::Pair<V> scaled = {hi, select(abs(lo) < little, V(0.0), lo)};
    // It is a little larger, for its rounding, and finite where c is 0.
    const V least = min(V(0x1p100), V(1.001) * least_normal(power) / abs(hi));
    return {scaled, power, least, own.hi, (own * scaled).value()};
  }
  /// The smallest number whose product with the power is normal.
  static V least_normal(V power) { return V(math::Subnormal<typename V::Element>::least_normal) / power; }
  V lifted(V e) const { return select(e == own, of_own, fma(e, c.hi, e * c.lo)); }
  V operator*(V e) const { return product(e).hi; }
  /// Returns f(y, y) for the product y. f is linear, so that a small y, for which results might be subnormal, is
  /// lowered only after f. The second y is for low parts, and is 0 where these are negligible.
  V times(V e, auto f) const {
    // A small y is so far below 1 that it can be multiplied by any finite g when it is lifted to this degree.
    const V zero = 0.0, one = 1.0, raised = 0x1p-10, ordinary = V(0x1p40) * least;
    if (all(e >= ordinary)) [[likely]] {
      const V y = lifted(e) * power;
      return f(y, y);
    }
    const auto is_small = e < ordinary, is_tiny = e < negligible();
    const V later = select(is_small, power / raised, one);
    const V y = lifted_small(e, is_tiny) * select(is_small, raised, power);
    return math::scale(f(y, select(is_tiny, zero, y)), least_normal(later), [later](V v) { return v * later; });
  }
  /// The product, with the rounding error of its high part.
  math::Pair<V> product(V e) const {
    if (all(e >= least)) [[likely]]
      return of_normal(e, [this](V y) { return y * power; });
    // A term whose product rounds to 0 is replaced, unless it is 0, by one that does not have a subnormal low part.
    const V zero = 0.0;
    return of_normal(select(e == zero, zero, max(negligible(), e)),
                     [this](V y) { return math::scale(y, least_normal(power), [this](V v) { return v * power; }); });
  }

 private:
  /// Products of terms below this round to 0.
  V negligible() const { return V(std::numeric_limits<typename V::Element>::epsilon() / 8) * least; }
  /// The lifted product, for small terms without that of the low part, which might be subnormal.
  V lifted_small(V e, auto is_small) const {
    return select(e == own, of_own, fma(e, c.hi, select(is_small, V(0.0), e) * c.lo));
  }
  math::Pair<V> of_normal(V e, auto lower) const {
    const V hi = lifted(e), lo = select(e == own, V(0.0), fma(e, c.lo, fma(e, c.hi, -hi)));
    return {lower(hi), lo * power};
  }
};

/// 2^-lift a.
template <class V>
math::Pair<V> unlifted(math::Pair<V> a) {
  const V scale = math::exp2_integer(V(-math::Reference<V>::lift));
  return {a.hi * scale, a.lo * scale};
}

/// c/s, where c is a number or a pair. It is NaN where the largest element of the row is infinite.
template <class V, class C>
math::Pair<V> share(C c, math::Pair<V> lifted_sum, V largest) {
  const math::Divisor<V> by(unlifted(lifted_sum));
  const math::Pair<V> quotient = math::normalized(c) / by;
  return {select(math::is_finite(largest), quotient.hi, nan<V>()), quotient.lo};
}

/// The term of the largest element or, if that is infinite, 1, so that only a NaN in the row makes it NaN.
template <class V>
math::Term<V> own_term(math::Reference<V> term_of, V largest) {
  const auto is_finite = math::is_finite(largest);
  const math::Term<V> t = term_of(select(is_finite, largest, V(0.0)));
  return {select(is_finite, t.power, V(1.0)), t.rest};
}

/// Multiplies the exponentials by c/s.
template <class V, class C>
Factor<V> factor(C c, math::Pair<V> lifted_sum, math::Reference<V> term_of, V largest) {
  return Factor<V>::of(share(c, lifted_sum, largest), own_term(term_of, largest).pair());
}

/// softmax(x) = e^x / Σ e^x. With y = softmax(x), dy_i/dx_j = y_i (δ_ij - y_j), so dx = y (g - Σ g y).
struct softmax : Exponentials {
  template <class V>
  static Factor<V> after(V largest, Before<V> term_of, Sums<V> sum) {
    return factor(V(1.0), sum.pair(), term_of, largest);
  }
  template <class V>
  static V late(Factor<V> inverse, V e) {
    return inverse * e;
  }
};

struct softmax_backward : Exponentials {
  constexpr softmax_backward() { inputs = 2, repeats = true; }
  /// Products of terms and g are multiplied by `scale`, which is 1 unless their sum overflows.
  template <class V>
  struct Before {
    math::Reference<V> term_of;
    V scale;
  };
  template <class V>
  static Before<V> before(V largest) {
    return {math::Reference<V>::of(largest), 1.0};
  }
  template <class V>
  using Sums = TermsAndOther<V>;  // the other is Σ g e
  template <class V>
  static V add(Sums<V>& sums, Before<V> row, V x, V g) {
    const math::Term<V> t = row.term_of(x);
    const V e = t.value(), h = g * row.scale;
    sums.e.add(t);
    sums.other.add_product(e, h);
    sums.other.lo = fma(t.low(e), h, sums.other.lo);
    return e;
  }
  template <class V>
  static typename V::Mask is_settled(Before<V> row, Sums<V> sums) {
    return math::is_finite(select(row.scale < V(1.0), V(0.0), sums.other.hi));
  }
  template <class V>
  static Before<V> next(Before<V> row, Sums<V> sums) {
    const V down = math::exp2_integer(V(-math::Reference<V>::lift));
    return {row.term_of, select(is_settled(row, sums), row.scale, down)};
  }
  template <class V>
  struct After {
    Factor<V> inverse;
    math::Pair<V> mean;  // Σ g y
  };
  template <class V>
  static After<V> after(V largest, Before<V> row, Sums<V> sums) {
    const math::Pair<V> sum = sums.e.pair(), scaled = sums.other.pair() / math::Divisor<V>(sum);
    const V up = select(row.scale < V(1.0), math::exp2_integer(V(math::Reference<V>::lift)), V(1.0));
    return {factor(V(1.0), sum, row.term_of, largest), {scaled.hi * up, scaled.lo * up}};
  }
  template <class V>
  static V late(After<V> row, V e, V g) {
    return row.inverse.times(e, [&](V y, V for_low) { return fma(y, g - row.mean.hi, -(for_low * row.mean.lo)); });
  }
};

struct softmax_backward_from_output : RowFunction {
  constexpr softmax_backward_from_output() { inputs = 2, has_largest = false, filling = 0; }
  template <class V>
  using Sums = Signed<V>;
  template <class V>
  static void add(Sums<V>& sum, Nothing, V y, V g) {
    sum.add_product(y, g);
  }
  template <class V>
  static V after(V, Nothing, Sums<V> sum) {
    return sum.pair().hi;
  }
  template <class V>
  static V late(V mean, V y, V g) {
    return y * (g - mean);
  }
};

/// The number of elements that are equal to the largest, and the sum of the terms of the others. A sum of all terms
/// would lose digits that its logarithm needs.
template <class V>
struct Others {
  Positive<V> below;
  V largest;

  void settle() { below.settle(); }
  friend Others join_chains(Others a, Others b) { return a + b; }
  friend Others operator+(Others a, Others b) { return {a.below + b.below, a.largest + b.largest}; }
  /// The sum divided by the term of the largest element, less 1.
  math::Pair<V> excess(math::Term<V> own) const {
    return (largest - V(1.0)) + below.pair() / math::Divisor<V>(own.pair());
  }
  math::Pair<V> total(math::Term<V> own) const {
    const math::Pair<V> of_largest = largest * own.pair(), sum = math::fast_sum(of_largest.hi, below.pair());
    return {sum.hi, sum.lo + of_largest.lo};
  }
};

/// m + log s as a pair whose high part is m.
template <class V>
math::Pair<V> log_sum(V m, math::Pair<V> excess) {
  const math::Pair<V> l = math::log1p_of_sum(excess), s = math::sum(m, l.hi);
  return {s.hi, s.lo + l.lo};
}

struct Logarithm : RowFunction {
  constexpr Logarithm() { maskable = true, of_nothing = -std::numeric_limits<double>::infinity(); }
  template <class V>
  struct Before {
    math::Reference<V> term_of;
    V largest;
  };
  template <class V, class... Numbers>
  static Before<V> before(V largest, Numbers...) {
    return {math::Reference<V>::of(largest), largest};
  }
  template <class V>
  using Sums = Others<V>;
  template <class V>
  static void add(Sums<V>& sums, Before<V> row, V x) {
    const auto is_largest = x == row.largest;
    sums.below.add(row.term_of(select(is_largest, V(-std::numeric_limits<double>::infinity()), x)));
    sums.largest = sums.largest + select(is_largest, V(1.0), V(0.0));
  }
};

/// log_softmax(x) = x - (m + log s); dx = g - softmax(x) Σ g.
struct log_softmax : Logarithm {
  template <class V>
  static math::Pair<V> after(V largest, Before<V> row, Sums<V> sums) {
    const V m = select(math::is_finite(largest), largest, nan<V>());
    return log_sum(m, sums.excess(own_term(row.term_of, largest)));
  }
  template <class V>
  static V late(math::Pair<V> log_sum, V x) {
    return (x - log_sum.hi) - log_sum.lo;
  }
};

struct log_softmax_backward : Exponentials {
  constexpr log_softmax_backward() { inputs = 2; }
  template <class V>
  using Sums = TermsAndOther<V>;  // the other is Σ g
  template <class V>
  static V add(Sums<V>& sums, Before<V> term_of, V x, V g) {
    sums.other.add_nearly(g);
    return Exponentials::add(sums.e, term_of, x);
  }
  template <class V>
  static Factor<V> after(V largest, Before<V> term_of, Sums<V> sums) {
    return factor(sums.other.pair(), sums.e.pair(), term_of, largest);
  }
  template <class V>
  static V late(Factor<V> total, V e, V g) {
    return fma(-total.lifted(e), total.power, g);
  }
};

struct log_softmax_backward_from_output : RowFunction {
  constexpr log_softmax_backward_from_output() { inputs = 2, has_largest = false; }
  template <class V>
  using Before = math::Reference<V>;
  template <class V>
  static Before<V> before(V) {
    return Before<V>::of(V(0.0));
  }
  template <class V>
  using Sums = Signed<V>;
  template <class V>
  static void add(Sums<V>& sum, Before<V>, V, V g) {
    sum.add_nearly(g);
  }
  template <class V>
  struct After {
    Before<V> term_of;
    Factor<V> total;
  };
  template <class V>
  static After<V> after(V, Before<V> term_of, Sums<V> sum) {
    // The terms are `one` times the exponentials of y, and no sum of terms cancels that factor here.
    constexpr double hi = static_cast<typename V::Element>(1 / Before<V>::one), lo = 1 / Before<V>::one - hi;
    const math::Pair<V> total = sum.pair() * math::Pair<V>{hi, lo};
    return {term_of, Factor<V>::of(total, {nan<V>(), nan<V>()})};  // which element is the largest is not known
  }
  template <class V>
  static V late(After<V> row, V y, V g) {
    const V term = row.term_of(y).value(), part = fma(term, row.total.c.hi, term * row.total.c.lo);
    const V dx = fma(-part, row.total.power, g);
    if (all(y <= V(0.0))) [[likely]]
      return dx;
    // y > 0 is no output of log_softmax, but its exponential is what the formula asks for.
    const auto general = [](After<V> r, V v, V gradient, V usual) {
      const math::Exponential<V> e = math::exp<true>(v);
      const V c = r.total.c.hi * V(Before<V>::one), product = math::scale(c * e.significand.hi, e.half_scale);
      const V half_scale = sqrt(r.total.power) * math::exp2_integer(V(Before<V>::lift / 2));
      const V unusual = gradient - math::scale(product, half_scale);
      return select(v <= V(0.0), usual, unusual);
    };
    return math::cold_path(general, row, y, g, dx);
  }
};

/// log Σ e^x = m + log s; dx = g softmax(x).
struct logsumexp : Logarithm {
  constexpr logsumexp() { outputs = 0, has_result = true, has_late = false, may_cancel = true; }
  /// The largest element, and the sum less 1, which is NaN if an element is.
  template <class V>
  struct After {
    V largest;
    math::Pair<V> excess;
  };
  template <class V>
  static After<V> after(V largest, Before<V> row, Sums<V> sums) {
    return {largest, sums.excess(own_term(row.term_of, largest))};
  }
  template <class V>
  static V result(After<V> row) {
    const V value = log_sum(row.largest, row.excess).value(), excess = row.excess.hi;
    return select(math::is_finite(row.largest), value, select(excess == excess, row.largest, excess));
  }
  /// Where m and log s cancel so far that a float needs them in double. The error of log s is a relative error of s
  /// times the smaller of 1 and log s, because s - 1 is known to that accuracy.
  template <class V>
  static typename V::Mask cancels(After<V> row, V result) {
    return abs(result) < 0.75 * min(V(1.0), result - row.largest);
  }
};

struct logsumexp_backward : Exponentials {
  constexpr logsumexp_backward() { numbers = 1; }
  template <class V>
  static Factor<V> after(V largest, Before<V> term_of, Sums<V> sum, V g) {
    return factor(g, sum.pair(), term_of, largest);
  }
  template <class V>
  static V late(Factor<V> factor, V e) {
    return factor * e;
  }
};

}  // namespace fastact::rowwise
