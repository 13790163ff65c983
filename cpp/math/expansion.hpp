// Float functions that are a polynomial in each of sixteen intervals.
#pragma once

#include "math/exp.hpp"
#include "math/expansions.hpp"
#include "math/fast_path.hpp"
#include "math/multiple.hpp"

namespace fastact::math {

/// A function with a table in expansions.hpp. Its value at the centre of each interval is almost a float, and it
/// changes by less than a factor of 4 in an interval, so the difference of that value and the result is exact, and only
/// the terms from the square on have rounding errors. A root is a centre, and the value and the slope there have low
/// parts, which are subtracted from the function and its slope in all intervals. Valid range: F::begin <= x <= F::end;
/// NaN gives NaN. Max error: 2^-26 relative. Source: expansions.py.
template <class F, class V>
Pair<V> expansion(V x) {
  const V index = polynomial(x, F::index) + V(0x1.8p23);
  const V s = x - index.lookup(F::centre), first = index.lookup(F::column[0]), linear = index.lookup(F::column[1]);
  const V rest = terms<F, 2>(index, s);
  if constexpr (F::rooted) {
    const V slope = fma(s, rest, linear), slope_lo = fma(s, rest, linear - slope) + V(F::slope_lo);
    const V hi = fma(s, slope, first);
    return {hi, fma(s, slope_lo, fma(s, slope, first - hi) + V(F::value_lo))};
  } else {
    const V hi = fma(s, linear, first);
    return {hi, fma(s * s, rest, fma(s, linear, first - hi))};
  }
}

/// expansion<F>(x), or far() in lanes outside the mask. Valid range: finite x.
template <class F, class V, class Far>
Pair<V> expansion_or(typename V::Mask is_near, V x, Far far) {
  const Pair<V> near = expansion<F>(x);
  if (all(is_near)) [[likely]]
    return near;
  return select(is_near, near, far());
}

/// u - u²/2 with u = e^x for floats. Valid range: -80 <= x <= -5. Max error: 2^-28 relative. Source: exp_by_steps.
template <class V>
Pair<V> exp_minus_half_square(V x) {
  const auto [power, rest] = exp_by_steps(x, V(none), V(0.0));
  const V u = fma(power, rest, power);
  return {power, fma(u, -0.5 * u, power * rest)};
}

}  // namespace fastact::math
