// Exponential functions, as pairs.
#pragma once

#include <limits>

#include "math/constants.hpp"
#include "math/exponential_forms.hpp"
#include "math/fast_path.hpp"
#include "math/pair.hpp"

namespace fastact::math {

/// 2^n. The sum of n and a constant has the biased exponent in its lowest bits; a shift moves them into the exponent.
/// Valid range: integers n between the smallest and the largest normal exponent. Max error: 0.
template <class V>
V exp2_integer(V n) {
  using C = Constants<typename V::Element>;
  return (n + V(C::to_integer + C::exponent_bias)).template shift_left<C::significand_bits>();
}

/// The number power (1 + rest).
template <class V>
struct Stepped {
  V power, rest;
};

/// e^(x + x_lo) 2^lift. For floats, x = n ln(2)/8 + r. The index n, shifted into the exponent, and a bit pattern from a
/// table have as their sum the bit pattern of a float near 2^(n/8); r includes the rounding error of that float. The
/// bit pattern of `down` is subtracted from that of the power, which divides it by a power of two. For doubles, x = n
/// ln 2 + r, and lift and down are 0. Valid range: where e^x 2^lift, so divided, is normal. Max error: 2^-28 (float) or
/// 2^-54 (double) relative. Source: exponential_forms.py (float), reduce and constants.py (double).
template <class V>
Stepped<V> exp_by_steps(V x, V x_lo, V lift = 0.0, V down = 0.0) {
  if constexpr (is_single<V>) {
    using E = forms::Exp;
    const V bias = 8.0 * lift + 0x1.8p23, index = fma(x, V(E::per_step), bias), n = index - bias;
    const V r = fma(n, V(-E::step_hi), x) + fma(n, V(-E::step_lo), x_lo + index.lookup(E::rest));
    const V power = index.template shift_left<20>().plus_bits(index.lookup(E::power));
    return {power.minus_bits(down), r * polynomial(r, E::series)};
  } else {
    using C = Constants<double>;
    const V bias = C::to_integer + C::exponent_bias, index = fma(x, V(C::log2_e), bias), n = index - bias;
    const Pair<V> r = fast_sum(fma(n, V(-C::ln2_hi), x), fma(n, V(-C::ln2_lo), x_lo));
    const V rest = r.hi + fma(r.hi * r.hi, polynomial(r.hi, C::exp), r.lo);
    return {index.template shift_left<C::significand_bits>(), rest};
  }
}

/// The same as a pair. Valid range, max error and source: those of exp_by_steps.
template <class V>
Pair<V> exp_by_table(V x, V x_lo, V lift = 0.0) {
  const auto [power, rest] = exp_by_steps(x, x_lo, lift);
  const V e = fma(power, rest, power);
  return {e, fma(power, rest, power - e)};
}

/// Returns the argument `down` with which the functions below and `unlifted` divide floats by 2^72 in the lanes of the
/// mask.
template <class V>
V down_where(typename V::Mask mask) {
  return select(mask, V(0x1p-55), V(0.0));  // the bit pattern has 72 in the place of the exponent
}

/// s + power · rest as a divisor, where s is the sum of the power and a positive number. The rest is small compared
/// with s, so two numbers hold the sum exactly. Valid range: that of exp_by_steps. Max error: 2^-47 (float) or 2^-104
/// (double) relative.
template <class V>
Divisor<V> plus_rest(Pair<V> s, Stepped<V> e) {
  const V sum = fma(e.power, e.rest, s.hi);
  return Divisor<V>({sum, fma(e.power, e.rest, s.hi - sum) + s.lo});
}

/// 1 + e^(x + x_lo), as a divisor. Where `down` is not 0, e^(x + x_lo) is divided by a power of two before 1
/// is added, and must be so large that 1 is negligible. Valid range: |x| <= 80 (float) or 640 (double); x <= 130 where
/// `down` is not 0. Max error: that of exp_by_steps, and the share of 1. Source: exp_by_steps.
template <class V>
Divisor<V> one_plus_exp(V x, V x_lo = none, V down = 0.0) {
  const Stepped<V> e = exp_by_steps(x, x_lo, V(0.0), down);
  return plus_rest(positive_sum(V(1.0), e.power), e);
}

/// The same for x >= 0, where the power is at least 1.
template <class V>
Divisor<V> one_plus_large_exp(V x, V x_lo = none, V down = 0.0) {
  const Stepped<V> e = exp_by_steps(x, x_lo, V(0.0), down);
  return plus_rest(fast_sum(e.power, V(1.0)), e);
}

/// e, or NaN where x is NaN, which a table look-up does not propagate. Valid range: finite x and NaN. Max error: 0.
template <class V>
Pair<V> with_nan(V x, Pair<V> e) {
  return {nan_unless_finite(x, e.hi), e.lo};
}

template <class V>
struct Reduced {
  V n;
  Pair<V> r;
};

/// x + x_lo = n ln 2 + r with |r| <= ln(2)/2. One fma computes x - n ln2_hi exactly, because both are multiples of the
/// last bit of ln2_hi, or n is at most 1. Valid range: arguments of exp. Max error: that of ln 2 as a pair, n 2^-53
/// (float) or n 2^-109 (double). Source: Cody and Waite, "Software Manual for the Elementary Functions", 1980, 6.2.
template <class V>
Reduced<V> reduce(V x, V x_lo) {
  using C = Constants<typename V::Element>;
  const V n = fma(x, V(C::log2_e), V(C::to_integer)) - V(C::to_integer);
  return {n, fast_sum(fma(n, V(-C::ln2_hi), x), fma(n, V(-C::ln2_lo), x_lo))};
}

/// e^x as significand · half_scale², where half_scale is a power of two: 1 unless e^x is near an end of the range of
/// numbers.
template <class V>
struct Exponential {
  Pair<V> significand;
  V half_scale;
};

/// e^r. Valid range: |r| <= ln(2)/2. Max error: 2^-56 relative, for double. Source: constants.py.
template <class V>
Pair<V> exp_reduced(Pair<V> r) {
  const Pair<V> one_plus_r = fast_sum(V(1.0), r.hi);
  const V rest = fma(r.hi * r.hi, polynomial(r.hi, Constants<typename V::Element>::exp), r.lo);
  return fast_sum(one_plus_r.hi, one_plus_r.lo + rest);
}

/// e^(x + x_lo) for floats; where it is below 2^(-2 depth), the significand is about that large. Valid range: from
/// `lowest` to 0, to -lowest with any_sign. Max error: 2^-27 relative. Source: exp_by_steps.
template <bool any_sign, class V>
Exponential<V> exp_lifted(V x, V x_lo, V depth) {
  using C = Constants<float>;
  const V to_integer = C::to_integer;
  const V half = fma(x, V(0.5F * C::log2_e), to_integer + depth) - to_integer;
  const V in_range = max(V(-124.0), min(V(0.0), half));
  V lift = -2.0 * in_range, half_scale = exp2_integer(in_range);
  if constexpr (any_sign) {
    const auto is_large = x > V(80.0), is_huge = x > V(140.0);
    lift = select(is_huge, V(-168.0), select(is_large, V(-84.0), lift));
    half_scale = select(is_huge, V(0x1p84), select(is_large, V(0x1p42), half_scale));
  }
  return {with_nan(x, exp_by_table(x, x_lo, lift)), half_scale};
}

/// e^(x + x_lo). Beyond `lowest` the result is e^lowest, which rounds to zero whatever multiplies it, and for large x
/// its inverse, which rounds to infinity. Valid range: x <= 0, every x with any_sign; NaN gives NaN. Max error: 2^-27
/// (float) or 2^-56 (double) relative. Source: exp_by_steps (float), reduce and exp_reduced (double).
template <bool any_sign = false, class V>
Exponential<V> exp(V x, V x_lo = none) {
  using C = Constants<typename V::Element>;
  V bounded = max(V(C::lowest), x);
  if constexpr (any_sign) bounded = min(V(-C::lowest), bounded);
  if constexpr (is_single<V>) {
    return exp_lifted<any_sign>(bounded, x_lo, V(20.0));  // 2^-40 is small compared with 1 and has a normal square
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

/// e^(x + x_lo) as a pair. Valid range: |x| <= 80 (float) or 640 (double). Max error and source: those of exp_by_steps.
template <class V>
Pair<V> moderate_exp(V x, V x_lo = none) {
  return exp_by_table(x, x_lo);
}

/// e^x for x <= 0 as exp, but the significand is about 2^(-2 depth) wherever e^x is less.
template <class V>
Exponential<V> exp_kept(V x, V depth) {
  if constexpr (is_single<V>) {
    return exp_lifted<false>(max(V(Constants<float>::lowest), x), V(none), depth);
  } else {
    return exp(x);  // the significand is at least 2^-200
  }
}

/// e^(x + x_lo) - 1 = (2^n - 1) + 2^n (r + r²/2 + r³ p(r)), with the first terms as pairs for floats. Valid range:
/// x <= 0; NaN gives NaN. Max error: 2^-28 (float) or 2^-53 (double) relative. Source: reduce, constants.py.
template <class V>
Pair<V> expm1(V x, V x_lo = 0.0) {
  using C = Constants<typename V::Element>;
  const V bounded = max(V(C::expm1_lowest), x);
  if constexpr (!is_single<V>) {
    const auto [power, rest] = exp_by_steps(bounded, x_lo);
    const V less = power - 1.0, e = fma(power, rest, less);
    return {e, fma(power, rest, less - e)};
  } else {
    const auto [n, r] = reduce(bounded, x_lo);
    const Pair<V> square = product(r.hi, 0.5 * r.hi);
    const Pair<V> quadratic = fast_sum(r.hi, square.hi);
    const V rest = fma(r.hi * square.hi, polynomial(r.hi, C::expm1), quadratic.lo + (square.lo + r.lo));
    const V scale = exp2_integer(n);
    const Pair<V> minus_1 = fast_sum(V(-1.0), scale);
    const Pair<V> sum = fast_sum(minus_1.hi, scale * quadratic.hi);
    return fast_sum(sum.hi, fma(scale, rest, sum.lo + minus_1.lo));
  }
}

}  // namespace fastact::math
