#pragma once

#include <limits>
#include <type_traits>

#include "math/pair.hpp"
#include "math/pieces.hpp"
#include "math/tables.hpp"

namespace fastact::math {

/// 2^n for an integer-valued n within the normal exponents: n plus the bias is brought to the low bits of a
/// significand, and shifted from there into the exponent.
template <class V>
V exp2_integer(V n) {
  using C = Constants<typename V::Element>;
  return (n + V(C::to_integer + C::exponent_bias)).template shift_left<C::significand_bits>();
}

/// Whether there are tables.
template <class V>
constexpr bool is_single = std::is_same_v<typename V::Element, float>;

/// power (1 + rest).
template <class V>
struct Stepped {
  V power, rest;
};

/// e^x 2^lift: x = n ln2/8 + r, and 2^(n/8) is what the index, shifted, is as a number, 2^⌊n/8⌋ (1 + (n mod 8)/8),
/// times a factor from a table, whose rounding error r makes up for. Max error: 2^-28.
template <class V>
Stepped<V> exp_by_steps(V x, V x_lo, V lift) {
  using E = pieces::Exp;
  const V bias = 8.0 * lift + (0x1.8p23 + 8 * 127), index = fma(x, V(E::per_step), bias), n = index - bias;
  const V r = fma(n, V(-E::step_hi), x) + fma(n, V(-E::step_lo), x_lo + index.lookup(E::rest));
  return {index.template shift_left<20>() * index.lookup(E::factor), r * polynomial(r, E::series)};
}

template <class V>
Pair<V> exp_by_table(V x, V x_lo, V lift) {
  const auto [power, rest] = exp_by_steps(x, x_lo, lift);
  const V e = fma(power, rest, power);
  return {e, fma(power, rest, power - e)};
}

/// 1 + e^x for floats with |x| <= 80. Beside 1 + 2^(n/8) the rest is small, so that its sum with it is exact in two
/// numbers.
template <class V>
Divisor<V> one_plus_exp(V x, V x_lo = none) {
  const auto [power, rest] = exp_by_steps(x, x_lo, V(0.0));
  const Pair<V> s = positive_sum(V(1.0), power);
  const V sum = fma(power, rest, s.hi);
  return Divisor<V>({sum, fma(power, rest, s.hi - sum) + s.lo});
}

/// e, but NaN where x is, of which a table knows nothing; x is not infinite.
template <class V>
Pair<V> with_nan(V x, Pair<V> e) {
  return {fma(x, V(0.0), e.hi), e.lo};
}

template <class V>
struct Reduced {
  V n;
  Pair<V> r;
};

/// x = n ln 2 + r, |r| <= ln(2)/2. n ln2_hi + x is exact in one fma: both are multiples of the last bit of ln2_hi, or n
/// is at most 1 (Cody and Waite, "Software Manual for the Elementary Functions", 1980, section 6.2). x_lo is the low
/// part of an argument carried as a pair.
template <class V>
Reduced<V> reduce(V x, V x_lo) {
  using C = Constants<typename V::Element>;
  const V n = fma(x, V(C::log2_e), V(C::to_integer)) - V(C::to_integer);
  return {n, fast_sum(fma(n, V(-C::ln2_hi), x), fma(n, V(-C::ln2_lo), x_lo))};
}

/// e^x as significand · tail²; tail is 1 unless e^x is near an end of the range of numbers.
template <class V>
struct Exponential {
  Pair<V> significand;
  V tail;
};

/// e^r, r reduced.
template <class V>
Pair<V> exp_reduced(Pair<V> r) {
  const Pair<V> one_plus_r = fast_sum(V(1.0), r.hi);
  const V rest = fma(r.hi * r.hi, polynomial(r.hi, Constants<typename V::Element>::exp), r.lo);
  return fast_sum(one_plus_r.hi, one_plus_r.lo + rest);
}

/// Of floats from `lowest` to -lowest: the significand of what is less than 2^(-2 depth) is about that.
template <bool any_sign, class V>
Exponential<V> exp_lifted(V x, V x_lo, V depth) {
  using C = Constants<float>;
  const V to_integer = C::to_integer;
  const V half = fma(x, V(0.5F * C::log2_e), to_integer + depth) - to_integer;
  const V in_range = max(V(-124.0), min(V(0.0), half));
  V lift = -2.0 * in_range, tail = exp2_integer(in_range);
  if constexpr (any_sign) {
    const auto is_large = x > V(80.0), is_huge = x > V(140.0);
    lift = select(is_huge, V(-168.0), select(is_large, V(-84.0), lift));
    tail = select(is_huge, V(0x1p84), select(is_large, V(0x1p42), tail));
  }
  return {with_nan(x, exp_by_table(x, x_lo, lift)), tail};
}

/// e^x for x <= 0, for any x where `any_sign`. Anything beyond `lowest` is as e^lowest, which rounds to zero, and its
/// inverse to infinity, whatever multiplies it. Max error: float 2^-27, double 2^-56 relative. NaN gives NaN.
template <bool any_sign = false, class V>
Exponential<V> exp(V x, V x_lo = none) {
  using C = Constants<typename V::Element>;
  V bounded = max(V(C::lowest), x);
  if constexpr (any_sign) bounded = min(V(-C::lowest), bounded);
  if constexpr (is_single<V>) {
    return exp_lifted<any_sign>(bounded, x_lo, V(20.0));  // small beside 1, its square being normal
  } else {
    const auto [n, r] = reduce(bounded, x_lo);
    V beyond = min(V(0.0), n - V(C::smallest_exponent));
    if constexpr (any_sign) beyond = beyond + max(V(0.0), n + V(C::smallest_exponent));
    const V half = fma(beyond, V(0.5), V(C::to_integer)) - V(C::to_integer);
    const V scale = exp2_integer(fma(half, V(-2.0), n));
    const Pair<V> sum = exp_reduced(r);
    return {{sum.hi * scale, sum.lo * scale}, exp2_integer(half)};
  }
}

/// e^x for floats where |x| <= 80.
template <class V>
Pair<V> short_exp(V x, V x_lo = none) {
  if constexpr (is_single<V>) {
    return exp_by_table(x, x_lo, V(0.0));
  } else {
    return exp(x, x_lo).significand;
  }
}

/// x - largest exactly, for x <= largest: of the two, the larger magnitude is in the lesser of x and -largest.
template <class V>
Pair<V> difference_below(V x, V largest) {
  const V d = x - largest;
  return {d, max(-largest, x) - (d - min(-largest, x))};
}

/// e^d 2^sum_exponent for d <= 0, or 0 where it is too small to count in a sum with 1. In double, with n ln 2 + r the
/// exponent and r_lo its low part, e^(r + r_lo) is e^r + r_lo e^r, the rest being below 2^-63. Max error: float 2^-28,
/// double as exp. NaN gives NaN.
template <class V>
Pair<V> exp_in_sum(Pair<V> d) {
  using C = Constants<typename V::Element>;
  const V zero = 0.0, bounded = max(V(C::sum_lowest), d.hi);
  Pair<V> e;
  if constexpr (is_single<V>) {
    e = exp_by_table(bounded, d.lo, V(C::sum_exponent));
  } else {
    const V to_integer = C::to_integer + C::exponent_bias + C::sum_exponent;
    const V shifted = fma(bounded, V(C::log2_e), to_integer), n = shifted - to_integer;
    const V r = fma(n, V(-C::ln2_hi), bounded), r_lo = fma(n, V(-C::ln2_lo), d.lo);
    const Pair<V> power = exp_reduced(Pair<V>{r, zero});
    const V scale = shifted.template shift_left<C::significand_bits>();
    e = {power.hi * scale, fma(r_lo, power.hi, power.lo) * scale};
  }
  return select(d.hi < V(C::sum_lowest), {zero, zero}, e);
}

/// Likewise e^(x - largest), x <= largest < inf.
template <class V>
Pair<V> exp_below(V x, V largest) {
  return exp_in_sum(difference_below(x, largest));
}

/// 2^-sum_exponent a.
template <class V>
Pair<V> unscaled(Pair<V> a) {
  const V scale = exp2_integer(V(-Constants<typename V::Element>::sum_exponent));
  return {a.hi * scale, a.lo * scale};
}

/// Whose square is 2^-sum_exponent.
template <class V>
V half_unscaled() {
  return exp2_integer(V(-0.5 * Constants<typename V::Element>::sum_exponent));
}

/// Likewise, rounded to a number that may be subnormal.
template <class V>
V unscaled(V y) {
  using T = typename V::Element;
  const V factor = exp2_integer(V(-Constants<T>::sum_exponent));
  const V least = V(Subnormal<T>::least_normal) * exp2_integer(V(Constants<T>::sum_exponent));
  if (all(y >= least) || all(select(y == V(0.0), least, y) >= least)) [[likely]]
    return y * factor;
  return rarely([](V some) { return scale(some, half_unscaled<V>(), half_unscaled<V>()); }, y);
}

/// Where a product of d and a is so large that its low part is normal, or 0: bits that are subtracted divide numbers,
/// roughly. The bits of `least` are those of the product and of 1 together. That zeros do no harm, too, is seen only
/// where that is wanted.
template <class V>
typename V::Mask is_ordinary(V d, V a, V least) {
  const V size = abs(d), bound = least.minus_bits(a), zero = 0.0, huge = std::numeric_limits<double>::infinity();
  auto ordinary = size >= bound;
  if (!all(ordinary)) [[unlikely]]
    ordinary = select(a == zero, huge, select(d == zero, huge, size)) >= bound;
  return ordinary;
}

/// d a 2^-sum_exponent where that is small.
template <class V, class D>
Pair<V> small_product(D d, Pair<V> a) {
  const V up = Subnormal<typename V::Element>::up, down = half_unscaled<V>() * Subnormal<typename V::Element>::down;
  const auto [hi, lo] = normalized(d);
  const Pair<V> p = Pair<V>{raised(hi, up), raised(lo, up)} * a;
  return {scale(p.hi, down, down), scale(p.lo, down, down)};
}

/// d a 2^-sum_exponent, a not negative.
template <class V, class D>
Pair<V> unscaled_product(D d, Pair<V> a) {
  const auto near = [](D factor, Pair<V> scaled) { return factor * unscaled(scaled); };
  const auto general = [](D factor, Pair<V> scaled) { return small_product(factor, scaled); };
  return mostly(is_ordinary(normalized(d).hi, a.hi, V(-0.0)), near, general, d, a);
}

/// d y.
template <class V, class D>
Pair<V> any_product(D d, V y) {
  const auto near = [](D factor, V other) { return product(other, factor); };
  const auto general = [](D factor, V other) {
    const V up = exp2_integer(V(Constants<typename V::Element>::sum_exponent));
    return small_product(factor, Pair<V>{raised(other, up), 0.0});
  };
  return mostly(is_ordinary(normalized(d).hi, abs(y), V(Subnormal<typename V::Element>::least_product)), near, general,
                d, y);
}

/// e^x for x <= 0 as exp, but the significand is about 2^(-2 depth) wherever e^x is less.
template <class V>
Exponential<V> exp_kept(V x, V depth) {
  if constexpr (is_single<V>) {
    return exp_lifted<false>(max(V(Constants<float>::lowest), x), V(none), depth);
  } else {
    return exp(x);  // 2^-200 at least
  }
}

/// e^x - 1 for x <= 0, as (2^n - 1) + 2^n (r + r²/2 + r³ p(r)), the first terms as pairs. Max error: float 2^-28,
/// double 2^-57 relative. NaN gives NaN.
template <class V>
Pair<V> expm1(V x, V x_lo = 0.0) {
  using C = Constants<typename V::Element>;
  const auto [n, r] = reduce(max(V(C::expm1_lowest), x), x_lo);
  const Pair<V> square = product(r.hi, 0.5 * r.hi);
  const Pair<V> quadratic = fast_sum(r.hi, square.hi);
  const V rest = fma(r.hi * square.hi, polynomial(r.hi, C::expm1), quadratic.lo + (square.lo + r.lo));
  const V scale = exp2_integer(n);
  const Pair<V> minus_1 = fast_sum(V(-1.0), scale);
  const Pair<V> sum = fast_sum(minus_1.hi, scale * quadratic.hi);
  return fast_sum(sum.hi, fma(scale, rest, sum.lo + minus_1.lo));
}

}  // namespace fastact::math
