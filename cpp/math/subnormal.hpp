#pragma once

#include <limits>
#include <type_traits>

/// Products that are subnormal, or that have a subnormal factor, take some processors a hundred cycles, and others some
/// tens unless they are fused with a sum. Sums do so only where two normal numbers leave a subnormal one.
namespace fastact::math {

template <class T>
struct Subnormal {
  static constexpr bool is_float = std::is_same_v<T, float>;
  static constexpr double least_normal = std::numeric_limits<T>::min();
  /// Its last place is 1.
  static constexpr double power = 1 / std::numeric_limits<T>::epsilon();
  /// The inverse of the smallest number, as a product, and what is nothing even times the second.
  static constexpr double up_1 = is_float ? 0x1p90 : 0x1p537, up_2 = is_float ? 0x1p59 : 0x1p537;
  static constexpr double nothing = is_float ? 0x1p-60 : 0x1p-540;
  /// Subnormal factors are lifted below 1, the root of whose ratio to the smallest normal number is the inverse of
  /// tail_of_one; subnormal arguments below what has no square above 0 and no low part that is subnormal.
  static constexpr double tail_of_one = is_float ? 0x1p-63 : 0x1p-511;
  static constexpr double small = is_float ? 0x1p-82 : 0x1p-550, tail_of_small = is_float ? 0x1p-22 : 0x1p-236;
  /// What makes low parts normal, and the root of its inverse.
  static constexpr double up = is_float ? 0x1p40 : 0x1p60, down = is_float ? 0x1p-20 : 0x1p-30;
  /// What has the bits of 1 and of a product that has a normal low part, added.
  static constexpr double least_product = is_float ? 0x1p35 : 0x1p225;
};

/// y a b for powers of two. A subnormal result is its number of smallest numbers, rounded as that is added to a power
/// of two whose last place is 1.
template <class V>
V scale(V y, V a, V b) {
  using S = Subnormal<typename V::Element>;
  const V power = S::power, one = 1.0;
  const V units = max(V(S::nothing), abs(y * (a * S::up_1))) * (b * S::up_2);
  const auto is_small = units < power;
  const V rounded = copysign((units + power).minus_bits(power), y);
  return select(is_small, rounded, y * select(is_small, one, a) * select(is_small, one, b));
}

/// y · tail², tail a power of two, mostly 1.
template <class V>
V scale(V y, V tail) {
  if (all(tail == V(1.0))) [[likely]]
    return y;
  return scale(y, tail, tail);
}

/// f(x…) as a function of its own: what is seldom asked for shall not take registers, nor be compiled at every call.
template <class F, class... V>
[[gnu::noinline, gnu::flatten]] auto rarely(F f, V... x) {
  return f(x...);
}

/// near(arguments…) in these lanes, general(arguments…) elsewhere. What near makes of the others may be subnormal: it
/// gets zeros for them.
template <class M, class Near, class General, class... A>
auto mostly(M is_near, Near near, General general, A... arguments) {
  if (all(is_near)) [[likely]]
    return near(arguments...);
  const auto either = [near, general](M m, A... a) { return select(m, near(select(m, a, A{})...), general(a...)); };
  return rarely(either, is_near, arguments...);
}

/// x, but times power over the smallest normal number where it is subnormal: its bits are so many units in the last
/// place of a power of two.
template <class V>
V lifted(V x, V power) {
  const V least_normal = Subnormal<typename V::Element>::least_normal;
  return select(abs(x) < least_normal, copysign(abs(x).plus_bits(power) - power, x), x);
}

/// x power.
template <class V>
V raised(V x, V power) {
  const V least_normal = Subnormal<typename V::Element>::least_normal;
  return lifted(x, power * least_normal) * select(abs(x) < least_normal, V(1.0), power);
}

}  // namespace fastact::math
