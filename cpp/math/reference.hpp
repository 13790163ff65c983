// Exponentials of the elements of a row.
#pragma once

#include <limits>

#include "math/constants.hpp"
#include "math/exponential_forms.hpp"
#include "math/fast_path.hpp"
#include "math/pair.hpp"

/// Exponentials of a row's elements, relative to the row's largest.
namespace fastact::math {

/// power (1 + rest), power being at most a few bits away from the whole.
template <class V>
struct Term {
  V power, rest;
  V value() const { return fma(power, rest, power); }
  /// Returns the number that is added to the high part of a sum. The low part of the sum takes in the difference from
  /// the term and is rounded at every addition, so this difference must be small. For floats, that of `power` is.
  V main() const { return is_single<V> ? power : value(); }
  /// The rounding error of `value`.
  V low(V value) const { return fma(power, rest, power - value); }
  Pair<V> pair() const {
    const V hi = value();
    return {hi, low(hi)};
  }
};

/// Terms are e^x 2^(lift - N) one, N being the integer nearest m log2 e and m the row's largest element. A power of two
/// takes the place of e^m, so that x itself is reduced and x - m is never rounded: where |m| is so large that N would
/// be, m is subtracted first, which is exact for every x that counts (Sterbenz, "Floating-point computation", 1974).
/// Elsewhere a tiny number is added to keep subnormal x out of products. The lift keeps terms normal that count beside
/// 1, and low parts of floats too, because their table has a part of the lift: the exponent of the other part is that
/// of a normal number, or the term is exactly 0. `one` makes all powers of a table nearly floats. NaN gives NaN; beside
/// an infinite m, finite x give 0. Max error of a term: float 2^-27.5, double 2^-55 relative.
template <class V>
struct Reference {
  using T = typename V::Element;
  using C = Constants<T>;
  /// Steps between two powers of two, of which floats have a table.
  static constexpr int steps = is_single<V> ? 8 : 1;
  static constexpr double one = is_single<V> ? forms::RowExp::one : 1.0F;
  static constexpr double lift_of_exponent = is_single<V> ? 64 : 200;
  static constexpr double lift = lift_of_exponent + (is_single<V> ? forms::RowExp::lift : 0);
  /// Small factors of terms are multiplied by 2^lift_of_small, so that 2^(-lift - lift_of_small) is a normal number.
  static constexpr double lift_of_small = is_single<V> ? 36 : lift;
  static constexpr double far = is_single<V> ? 300 : 2500, tiny = is_single<V> ? 0x1p-60 : 0x1p-400;

  V shift, lowest, magic;

  static Reference of(V m) {
    const auto is_far = abs(m) > V(far);
    const V shift = select(is_far, select(is_finite(m), m, V(std::numeric_limits<T>::max())), V(-tiny));
    const V to_integer = C::to_integer, bias = C::exponent_bias + lift_of_exponent;
    const V near = select(is_far, V(0.0), m);
    const V n = fma(near, V(C::log2_e), to_integer) - to_integer;
    return {shift, (n - bias) * V(C::ln2_hi), to_integer + V(steps) * (bias - n)};
  }
  Term<V> operator()(V x) const {
    const V d = max(lowest, x - shift);
    const V index = fma(d, V(steps * C::log2_e), magic), n = index - magic;
    const V hi = fma(n, V(-C::ln2_hi / steps), d);  // exact: both are multiples of the last bit of ln2_hi
    const V power = index.template shift_left<is_single<V> ? 20 : C::significand_bits>();
    if constexpr (is_single<V>) {
      using E = forms::RowExp;
      const V r = fma(n, V(-C::ln2_lo / steps), hi);
      return {power * index.lookup(E::factor), fma(r * r, polynomial(r, E::series), r)};
    } else {
      const V r = fma(n, V(-C::ln2_lo), hi);
      return {power, fma(r * r, polynomial(r, C::exp), r)};
    }
  }
};

}  // namespace fastact::math
