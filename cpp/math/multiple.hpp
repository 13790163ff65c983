// Float functions that are a polynomial in each of eight intervals, times a multiplier.
#pragma once

#include <cstddef>

#include "math/multiples.hpp"
#include "math/pair.hpp"

namespace fastact::math {

/// The number of the interval that contains a, in the lowest three bits. Intervals are half octaves of start + slope a,
/// shifted by an offset to the bit pattern. Valid range: 0 <= a <= F::end.
template <class F, class V>
V interval(V a) {
  return fma(a, V(F::slope), V(F::start)).plus_bits(V(F::offset)).template shift_right<22>();
}

/// The terms of column[k] s^(k - first) with k >= first, of the polynomial of each interval. Source: Horner's rule.
template <class F, std::size_t first, class V>
V terms(V index, V s) {
  V p = index.lookup(F::column[F::degree]);
  for (std::size_t k = F::degree; k-- > first;) p = fma(p, s, index.lookup(F::column[k]));
  return p;
}

/// W(a) of a table in multiples.hpp, as W(c) and a small rest. Centres c are chosen so that W(c) is almost a float
/// (Gal and Bachelis, "An accurate elementary mathematical library for the IEEE floating point standard", 1991); the
/// rounding errors of the rest are small compared with W. Valid range: 0 <= a <= F::end; NaN gives NaN. Max error:
/// that of the table and 2^-24 of the rest. Source: multiples.py.
template <class F, class V>
struct Multiple {
  V first, s, slope;
  explicit Multiple(V a) {
    const V index = interval<F>(a);
    s = a - index.lookup(F::centre);
    first = index.lookup(F::column[0]);
    slope = terms<F, 1>(index, s);
  }
  /// n W, rounded.
  V times(V n) const { return fma(n, first, n * s * slope); }
  V times(Pair<V> n) const { return fma(n.hi, first, fma(n.hi * s, slope, n.lo * fma(s, slope, first))); }
  /// n W, as a pair.
  Pair<V> pair_times(V n) const {
    const V rest = n * s * slope, hi = fma(n, first, rest);
    return {hi, fma(n, first, -hi) + rest};
  }
};

}  // namespace fastact::math
