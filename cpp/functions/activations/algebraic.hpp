// Activations composed of the four arithmetic operations and a square root.
#pragma once

#include <limits>

#include "functions/activations/activation.hpp"
#include "functions/activations/nan.hpp"
#include "math/fast_path.hpp"
#include "math/inverse.hpp"
#include "math/pair.hpp"

namespace fastact::activations {

/// Numbers beyond `large` are multiplied by `down`. Then neither their squares, nor the inverses of these, nor the
/// products of the inverses with a gradient times `down` overflow or underflow. A scaled number beyond `largest` may be
/// treated as infinite.
template <class T>
struct Range;
template <>
struct Range<float> {
  static constexpr double large = 0x1p40, down = 0x1p-78, largest = 0x1p62;
};
template <>
struct Range<double> {
  static constexpr double large = 0x1p400, down = 0x1p-700, largest = 0x1p500;
};

/// f(x) = x/(1 + |x|); f'(x) = 1/(1 + |x|)². Turian, Bergstra and Bengio, "Quadratic features and deep architectures
/// for chunking", 2009.
///
/// With d = 1 + |x| rounded and its rounding error d_lo, |x|/(1 + |x|) is approximately y - y d_lo/d with y = |x|/d and
/// 1/d = 1 - y. From |x| = 2/ε on, f(x) rounds to 1.
struct softsign : Traits {
  static constexpr bool interleaves = false;
  template <class V>
  static V forward(V x) {
    const V a = min(V(2 / epsilon<V>), abs(x)), d = 1.0 + a, d_lo = a - (d - 1.0);
    const V y = a / d;
    return copysign(fma(fma(y, y, -y), d_lo, y), x);
  }
  template <class V>
  static V backward(V x, V g) {
    // d - 1 is exact in that range.
    return math::near_or_general(
        abs(x) <= V(0x1p20), [](auto... v) { return near(v...); }, [](auto... v) { return anywhere(v...); }, x, g);
  }

 private:
  template <class V>
  using R = Range<typename V::Element>;
  template <class V>
  static constexpr double most = std::numeric_limits<typename V::Element>::max();
  template <class V>
  static constexpr double epsilon = std::numeric_limits<typename V::Element>::epsilon();

  template <class V>
  static V near(V x, V g) {
    const V a = abs(x), d = 1.0 + a, d_lo = a - (d - 1.0);
    const V inverse = -1.0 / d, twice = inverse + inverse;
    const V rest = fma(twice, d_lo, fma(twice, d, 2.0));  // 2 - 2 (1 + a)/d, the relative error of inverse²
    return g * fma(inverse, inverse, inverse * inverse * rest);
  }
  template <class V>
  static V anywhere(V x, V g) {
    const V a = min(V(most<V>), abs(x));
    const V k = select(a > V(R<V>::large), V(R<V>::down), V(1.0));
    const math::Divisor<V> denominator(math::sum(k, k * a));
    const V dx = g * k * (math::Pair<V>{1.0, 0.0} / denominator / denominator).value() * k;
    return keep_nan(x, select(math::is_finite(x), dx, V(0.0)));
  }
};

/// f(x) = (x + √(x² + b))/2; f'(x) = (1 + x/√(x² + b))/2. Barron, "Squareplus: a softplus-like algebraic rectifier",
/// 2021.
struct squareplus : Traits {
  static constexpr bool interleaves = false;  // f takes a fifth longer with four registers
  template <class V>
  static V forward(V x, V b) {
    const Near<V> near(x, b, [](V s) {
      if constexpr (math::is_single<V>)
        return 0.5 / s;
      else
        return 0.5 * math::approximate_inverse(s);
    });
    const V y = 0.5 * near.z.value();
    if (all(near.holds)) [[likely]]
      return y;
    return select(near.holds, y, anywhere(x, b));
  }
  template <class V>
  static V backward(V x, V g, V b) {
    const Near<V> near(x, b, [](V s) { return 0.5 / s; });
    const V dx = g * near.derivative();
    if (all(near.holds)) [[likely]]
      return dx;
    return select(near.holds, dx, anywhere(x, g, b));
  }
  static constexpr bool allows(double b) { return b >= 0; }
  static constexpr const char* allowed = "b >= 0";

 private:
  /// The formula where nothing overflows or underflows and √(x² + b) + x has little cancellation, which is nearly
  /// everywhere. With s = √(x² + b) rounded, √(x² + b) + x = s + x + (x² + b - s²)/(2s). The last term is so small that
  /// an approximate inverse of s is enough for f. It is used for doubles, whose division is slow.
  template <class V>
  struct Near {
    V s, s_low, half_inverse;
    math::Pair<V> z;
    typename V::Mask holds;

    template <class Inverse>
    Near(V x, V b, Inverse inverse_of_twice) {
      const V square = fma(x, x, b), without_b = square - b;
      const V square_low = fma(x, x, -without_b) - ((square - without_b) - b);
      s = sqrt(square);
      half_inverse = inverse_of_twice(s);
      s_low = (fma(-s, s, square) + square_low) * half_inverse;
      z = math::fast_sum(s, x);
      z.lo = z.lo + s_low;
      holds = z.hi > fma(s, math::is_single<V> ? 0x1p-20 : 0x1p-11, 0x1p-30);
    }
    V derivative() const {
      const V quotient = z.hi * half_inverse;
      const V rest = fma(-2.0 * quotient, s_low, fma(-2.0 * quotient, s, z.hi) + z.lo);
      return fma(rest, half_inverse, quotient);
    }
  };

  /// With u = |x|/√b and s = √(u² + 1), f(x) = √b (s + u)/2 and f'(x) = (s + u)/(2s) for x >= 0. For x < 0, where the
  /// sums would cancel, f(x) = √b/(2(s + u)) and f'(x) = 1/(2s(s + u)). The formulas compute with ku and ks, where k is
  /// a power of two. For b = 0, f is relu and f'(0) = 1/2. For an infinite b, f is ∞ and f' is 1/2.
  template <class V>
  static V anywhere(V x, V b) {
    const Parts<V> p(x, b);
    const V half_inverse = 0.25 / p.k, zero = 0.0, infinity = std::numeric_limits<double>::infinity();
    const V negative = (p.root_b / p.twice_sum).value() * p.k;  // only this last product may be subnormal
    const V positive = (p.twice_sum.d * p.root_b).value() * half_inverse;
    const V y = select(x < zero, negative, positive);
    return select(b == infinity, keep_nan(x, infinity), select(p.finite, y, max(zero, x)));
  }
  template <class V>
  static V anywhere(V x, V g, V b) {
    const Parts<V> p(x, b);
    const math::Divisor<V> s(p.s);
    const V zero = 0.0, one = 1.0;
    const auto is_negative = x < zero;
    const V negative = (math::Pair<V>{1.0, 0.0} / p.twice_sum / s).value();
    const V positive = 0.25 * (p.twice_sum.d / s).value();
    const V k = select(is_negative, p.k, one);
    const V dx = g * k * select(is_negative, negative, positive) * k;
    const V half = 0.5 * g, at_0 = select(x == zero, half, dx);
    const V ordinary = select(b == zero, select(x < zero, zero, select(x > zero, g, at_0)), dx);
    return keep_nan(x, select(b == V(std::numeric_limits<double>::infinity()), half, ordinary));
  }
  template <class V>
  struct Parts {
    math::Pair<V> root_b;
    V k;
    typename V::Mask finite;     // whether ku is finite, which it is not for b = 0
    math::Pair<V> u, s;          // ku and ks
    math::Divisor<V> twice_sum;  // 2(ku + ks)

    // b + 0 is +0 where b is -0.
    Parts(V x, V b) : Parts(x, root({b + 0.0, 0.0}), select(abs(x) > V(R::large) * sqrt(b), V(R::down), V(1.0))) {}

   private:
    using R = Range<typename V::Element>;
    Parts(V x, math::Pair<V> r, V scale) : Parts(r, scale, math::Pair<V>{scale * abs(x), 0.0} / math::Divisor<V>(r)) {}
    Parts(math::Pair<V> r, V scale, math::Pair<V> scaled)
        : root_b(r),
          k(scale),
          finite(scaled.hi < V(R::largest)),
          u(select(finite, scaled, {R::largest, 0.0})),
          s(root(k * k + u * u)),
          twice_sum(doubled(s + u)) {}

    static math::Pair<V> root(math::Pair<V> p) {
      const V r = sqrt(p.hi);
      return {r, (fma(-r, r, p.hi) + p.lo) * (0.5 / r)};
    }
    static math::Pair<V> doubled(math::Pair<V> p) { return {2.0 * p.hi, 2.0 * p.lo}; }
  };
};

}  // namespace fastact::activations
