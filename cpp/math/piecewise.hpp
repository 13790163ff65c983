#pragma once

#include "math/exp.hpp"

namespace fastact::math {

/// Float kernels without exponential or division in the usual range: piecewise polynomials, their coefficients looked
/// up in registers. Double has none: it takes the general formulas, as float does beyond every table.

/// g (hi + lo) for finite g.
template <class V>
V multiply(V g, Pair<V> d) {
  return fma(g, d.hi, fma(g, d.lo, V(-0.0)));  // see subnormal.hpp
}

/// f(x) from pieces.hpp: the interval's polynomial about its centre c, f(c + r) = c0 + r (c1 + r (c2 + …)), all of it
/// looked up in registers. Centres are chosen so that f(c) is almost a float (Gal and Bachelis, "An accurate elementary
/// mathematical library for the IEEE floating point standard", 1991), hence c0 has no error to speak of, and those of
/// the rest are small beside it. They would not be about a zero of f: there f = slope (x - zero) + (c0 + r (…)), and
/// what the polynomial adds is small again.
template <class F, class V>
class Piece {
 public:
  explicit Piece(V x, V x_lo = none) : x_(x), x_lo_(x_lo), from_zero_(x) {
    if constexpr (has_zero) from_zero_ = x - V(F::zero);
    const V index = polynomial(from_zero_, F::index);
    const auto c = index.lookup(F::table);
    centre_ = c[0];
    c0_ = c[1];
    r_ = (x - centre_) + x_lo;
    c1_ = c[2];
    rest_ = c[F::degree + 1];
    for (std::size_t k = F::degree + 1; k-- > 3;) rest_ = fma(rest_, r_, c[k]);
  }

  /// f(x), rounded.
  V value() const {
    const V sum = fma(fma(rest_, r_, c1_), r_, c0_);
    if constexpr (has_zero) {
      return select(is_near_zero(), fma(from_zero_, V(F::slope), sum), sum);
    } else {
      return sum;
    }
  }
  /// n f(x), rounded, for an f without a zero.
  V times(V n) const { return fma(n, c0_, n * r_ * fma(rest_, r_, c1_)); }
  V times(Pair<V> n) const { return fma(n.hi, c0_, fma(n.hi * r_, fma(rest_, r_, c1_), n.lo * c0_)); }
  /// f(x) as two numbers for what multiplies it.
  Pair<V> pair() const {
    const V square = r_ * r_;
    if constexpr (has_zero) {
      const auto near_zero = is_near_zero();
      Pair<V> line = product(V(F::slope), from_zero_);
      line.lo = fma(V(F::slope), (x_ - (from_zero_ + V(F::zero))) + x_lo_, line.lo);
      const V p = select(near_zero, fma(rest_, r_, c1_), c1_);
      const V lo = fma(p, r_, select(near_zero, c0_, square * rest_));
      return {select(near_zero, line.hi, c0_), select(near_zero, lo + line.lo, lo)};
    } else {
      return {c0_, fma(c1_, r_, square * rest_)};
    }
  }
  /// Whether x is in the table's range, and `finite` is. Elsewhere the index is that of a row far from x.
  typename V::Mask holds(V finite) const { return abs(fma(finite, V(0.0), r_)) <= V(F::reach); }
  typename V::Mask holds() const { return abs(r_) <= V(F::reach); }
  typename V::Mask is_beyond() const { return V(F::reach) < abs(r_); }

 private:
  static constexpr bool has_zero = requires { F::slope; };
  V x_, x_lo_, from_zero_, centre_, c0_, c1_, rest_, r_;
  typename V::Mask is_near_zero() const { return abs(centre_ - V(F::middle)) < V(F::width); }
};

/// near(piece) where the table holds, and rest() elsewhere: asked for where a lane needs it. Lanes take from it what
/// they would alone.
template <class F, class V, class Near, class Rest>
V piecewise(V x, Near near, Rest rest, V x_lo = none) {
  const Piece<F, V> piece(x, x_lo);
  const V y = near(piece);
  if (all(piece.holds())) [[likely]]
    return y;
  return select(piece.is_beyond(), rest(), y);
}

/// d where x < 0, 1 - d elsewhere: the derivative at x from that at -|x|, for x times a distribution function of a
/// symmetric density.
template <class V>
Pair<V> mirrored(V x, Pair<V> d) {
  const auto negative = x < V(0.0);
  const Pair<V> rest = fast_sum(V(1.0), -d);
  return {select(negative, d.hi, rest.hi), select(negative, d.lo, rest.lo)};
}

/// Whether a table is for x <= 0 only.
template <class F>
constexpr bool is_mirrored = requires { F::mirrored; };

/// g times the piece, or what rest() gives. An infinite g would make NaN of a sum's two parts.
template <class F, class V, class Rest>
V piecewise_gradient(V x, V g, Rest rest) {
  const Piece<F, V> piece(is_mirrored<F> ? -abs(x) : x);
  const Pair<V> d = is_mirrored<F> ? mirrored(x, piece.pair()) : piece.pair();
  const V y = multiply(g, d);
  const auto holds = piece.holds(g);
  if (all(holds)) [[likely]]
    return y;
  return select(holds, y, select(piece.is_beyond(), rest(), g * d.value()));
}

/// inside where |x| <= end, outside(arguments…) elsewhere.
template <class V, class Y, class Outside, class... A>
Y within(V x, double end, Y inside, Outside outside, A... arguments) {
  const auto is_inside = abs(x) <= V(end);
  if (all(is_inside)) [[likely]]
    return inside;
  return select(is_inside, inside, rarely(outside, arguments...));
}

/// near(arguments…), which is of any type for the sake of double, for floats where |x| <= 68 and so e^-|x| has a normal
/// low part, general(arguments…) elsewhere.
template <class V, class Near, class General, class... A>
auto usually(V x, Near near, General general, A... arguments) {
  if constexpr (is_single<V>) {
    return mostly(abs(x) <= V(68.0), near, general, arguments...);
  } else {
    return general(arguments...);
  }
}

template <class V>
V bounded(V x, double end) {
  return max(V(-end), min(V(end), x));
}

/// near(piece) where the table holds, tail(x) from there to |x| = end, general(x) beyond it and for double.
template <class F, class V, class Near, class Tail, class General>
V piecewise(V x, Near near, double end, Tail tail, General general) {
  if constexpr (is_single<V>) {
    return piecewise<F>(x, near, [=] { return within(x, end, tail(bounded(x, end)), general, x); });
  } else {
    return general(x);
  }
}

/// Likewise g times the piece or times tail(x), or what general(x, g) gives.
template <class F, class V, class Tail, class General>
V piecewise_gradient(V x, V g, double end, Tail tail, General general) {
  if constexpr (is_single<V>) {
    return piecewise_gradient<F>(x, g, [=] {
      const V y = multiply(g, tail(bounded(x, end)));
      return within(fma(g, V(0.0), x), end, y, general, x, g);
    });
  } else {
    return general(x, g);
  }
}

}  // namespace fastact::math
