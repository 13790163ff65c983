// Float functions that decay exponentially on the negative side.
#pragma once

#include "math/exp.hpp"
#include "math/exponential_forms.hpp"
#include "math/fast_path.hpp"
#include "math/multiple.hpp"

/// Float formulas for functions that decay exponentially for negative x: with a = |x|, T(a) = m(a) e^-q(a) W(a). The
/// multiplier m is exact, q is a polynomial, and W is one of eight polynomials from exponential_forms.hpp. There is no
/// division and no separate formula for large a, so the time hardly depends on the distribution of x.
///
/// In intervals where T or its low parts might be subnormal, the table of powers includes a factor 2^lift. Only
/// negative x lie there, and integer arithmetic removes the factor at last, because an operation with a subnormal
/// operand or result takes a hundred cycles on some processors.
namespace fastact::math {

/// e^-q W(a) as power (1 + rest)(1 + u), with the number of the interval in the lowest three bits of index.
template <class V>
struct Decay {
  V index, power, rest, u;
};

/// e^-q W(a), times 2^lift in some intervals. In each interval, W = C 2^(delta/8)(1 + u), and delta is added to the
/// index of the power C 2^(n/8). C is chosen so that all eight C 2^(j/8) are close to floats. Valid range: 0 <= a <=
/// F::end; NaN gives NaN. Max error: 2^-27 relative. Source: exponential_forms.py.
template <class F, class V>
Decay<V> decay(V a, Pair<V> q) {
  const V index = interval<F>(a);
  const V bias = 0x1.8p23, steps = fma(q.hi, V(-F::per_step), bias), n = steps - bias;
  const V r = fma(n, V(F::step_hi), q.hi) + fma(n, V(F::step_lo), q.lo);
  const V scaled = steps + index.lookup(F::delta);
  const V u = terms<F, 0>(index, a - index.lookup(F::centre));
  return {index, scaled.template shift_left<20>().plus_bits(scaled.lookup(F::power)), r * polynomial(r, F::series), u};
}

/// x, bounded to where T is not negligible: F::near where T is added to x or 1, and F::end for negative x.
template <class F, class V>
V clamped(V x) {
  return min(V(F::near), max(V(-F::end), x));
}
template <class F, class V>
V magnitude(V x) {
  return abs(clamped<F>(x));
}

/// The number value, which `unlifted` divides by a power of two.
template <class V>
struct Lifted {
  Pair<V> value;
  V down;
};

/// max(x, 0) - T(|x|), T = m e^-q W.
template <class F, class V, class Exponent>
Lifted<V> relu_minus_pair(V x, Exponent q) {
  const V a = magnitude<F>(x), m = min(V(F::knee), a);
  const auto [index, power, rest, u] = decay<F>(a, q(a, m));
  const V product = m * power;
  const V relu = max(V(0.0), x), s = fma(-m, power, relu);
  // The rounding error of s, or 0 where relu is infinite. The signs of zeros give y the sign of x.
  const V lost = fma(m, power, min(s - relu, V(0.0)));
  return {{s, -fma(fma(product, rest, product), u, fma(product, rest, lost))}, index.lookup(F::down)};
}

template <class F, class V, class Exponent>
V relu_minus(V x, Exponent q) {
  const auto [y, down] = relu_minus_pair<F>(x, q);
  return unlifted(y.value(), down, -down);
}

/// T(|x|) where x < 0, 1 - T(|x|) elsewhere, T = (root - a) e^-q W.
template <class F, class V, class Exponent>
Lifted<V> mirrored_pair(V x, Exponent q) {
  const V a = magnitude<F>(x);
  const auto [index, size, rest, u] = decay<F>(a, q(a));
  const V power = size.xor_bits(x.and_bits(V(-0.0))), one = V(1.0).without_bits(x.sign_mask());
  const V root = index.lookup(F::root), z = a - root, z_lo = (a - (z + root)) - index.lookup(F::root_lo);
  const V low = z_lo * power, whole = fma(z, power, low);
  const V hi = fma(z, power, one), lost = fma(z, power, one - hi) + low;
  return {{hi, fma(fma(whole, rest, whole), u, fma(whole, rest, lost))}, index.lookup(F::down)};
}

/// g f(x) for floats, with f = formula(x), unless x is below -F::near and g so large that f is needed beyond -F::end;
/// general(x, g) there and for double.
template <class F, class V, class Formula, class General>
V times_or_general(V x, V g, Formula formula, General general) {
  const auto near = [formula](auto v, auto once) {
    const auto [f, down] = formula(v);
    const auto y = multiply(once, f);
    return unlifted(y, down, copysign(down, y));
  };
  const auto fast = [near, general](auto v, auto once) {
    const auto is_far = [](V w, V) { return w < V(-F::near); };
    return near_unless_large(once, F::most, is_far, near, general, v, once);
  };
  return in_float<V>(fast, general, x, g);
}

/// g times the mirrored T.
template <class F, class V, class Exponent, class General>
V mirrored_gradient_or(V x, V g, Exponent q, General general) {
  return times_or_general<F>(x, g, [q](auto v) { return mirrored_pair<F>(v, q); }, general);
}

/// b (max(a, 0) - T(|a|)).
template <class F, class V, class Exponent, class General>
V gated_or(V a, V b, Exponent q, General general) {
  return times_or_general<F>(a, b, [q](auto v) { return relu_minus_pair<F>(v, q); }, general);
}

}  // namespace fastact::math
