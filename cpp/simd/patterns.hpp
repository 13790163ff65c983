// Vectors of half-precision numbers that are compared and chosen from without a conversion to float.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "simd/half.hpp"
#include "simd/simd.hpp"

namespace fastact::simd {

/// A vector of the bit patterns of half-precision numbers S. It has the operations of Vec that need no arithmetic, with
/// the same results.
template <class Isa, HalfPrecision S>
struct Patterns {
  using Element = S;
  using InstructionSet = Isa;
  static constexpr std::size_t lanes = std::max<std::size_t>(8, 2 * Isa::template size<float>), size = lanes;
  using Register = typename Lanes<std::int16_t, lanes>::Type;
  using Mask = Register;

  Register v;

  Patterns() = default;
  /// A number that is 0, infinite or a normal number in S and is not rounded.
  Patterns(double x) : v(Register{} + pattern(static_cast<float>(x))) {}
  static Patterns load(const S* p, std::size_t count = size, Patterns r = 0.0) {
    std::memcpy(&r.v, p, count * sizeof(S));
    return r;
  }
  /// A signalling NaN becomes a quiet one, as it does in a conversion.
  void store(S* p, std::size_t count = size) const {
    const Register quiet = v | ((magnitude() > infinity) & quiet_bit);
    std::memcpy(p, &quiet, count * sizeof(S));
  }

  friend Mask operator<(Patterns a, Patterns b) { return comparable(a, b) & (a.order() < b.order()); }
  friend Mask operator>(Patterns a, Patterns b) { return b < a; }
  friend Mask operator<=(Patterns a, Patterns b) { return comparable(a, b) & (a.order() <= b.order()); }
  friend Mask operator>=(Patterns a, Patterns b) { return b <= a; }
  friend Mask operator==(Patterns a, Patterns b) { return comparable(a, b) & (a.order() == b.order()); }
  friend Patterns select(Mask m, Patterns a, Patterns b) { return of(m ? a.v : b.v); }
  friend Patterns max(Patterns bound, Patterns x) { return select(bound > x, bound, x); }
  friend Patterns min(Patterns bound, Patterns x) { return select(bound < x, bound, x); }
  friend Patterns abs(Patterns x) { return of(x.magnitude()); }
  friend Patterns operator-(Patterns x) { return of(x.v ^ sign); }
  friend Patterns copysign(Patterns magnitude, Patterns x) { return of(magnitude.magnitude() | (x.v & sign)); }

  /// The largest of the numbers that were added to each lane, or NaN if one of them was.
  class Largest {
    // As integers, numbers without a sign are in their order and above those with a sign, whose order is reversed. NaN
    // lies beyond the infinities.
    using Unsigned = typename Lanes<std::uint16_t, lanes>::Type;
    Register highest = Register{} + (sign | infinity), lowest = highest;
    Unsigned furthest = std::bit_cast<Unsigned>(highest);

   public:
    void add(Patterns x) { add(x.v, x.v, std::bit_cast<Unsigned>(x.v)); }
    void add(const Largest& x) { add(x.highest, x.lowest, x.furthest); }
    Patterns value() const {
      const Register number = highest >= 0 ? highest : lowest;
      const Register is_nan = (highest > infinity) | (furthest > static_cast<std::uint16_t>(sign | infinity));
      return of(number | (is_nan & (infinity | quiet_bit)));
    }

   private:
    void add(Register high, Register low, Unsigned far) {
      highest = high > highest ? high : highest;
      lowest = low < lowest ? low : lowest;
      furthest = far > furthest ? far : furthest;
    }
  };

 private:
  static constexpr std::int16_t sign = std::numeric_limits<std::int16_t>::min();
  static constexpr std::int16_t infinity = std::is_same_v<S, Half> ? 0x7C00 : 0x7F80;
  static constexpr std::int16_t quiet_bit = std::is_same_v<S, Half> ? 0x200 : 0x40;

  static std::int16_t pattern(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x), magnitude = bits & 0x7FFFFFFFU;
    const std::uint32_t half = magnitude == 0 ? 0 : std::min((magnitude - (112U << 23)) >> 13, 0x7C00U);
    const std::uint32_t upper = bits >> 16;
    return static_cast<std::int16_t>(std::is_same_v<S, Half> ? (upper & 0x8000U) | half : upper);
  }
  static Patterns of(Register v) {
    Patterns r;
    r.v = v;
    return r;
  }
  Register magnitude() const { return v & ~sign; }
  static Mask comparable(Patterns a, Patterns b) { return (a.magnitude() <= infinity) & (b.magnitude() <= infinity); }
  /// Integers in the order of the numbers, where -0 equals 0.
  Register order() const {
    const Register is_negative = v >> 15;
    return (magnitude() ^ is_negative) - is_negative;
  }
};

}  // namespace fastact::simd
