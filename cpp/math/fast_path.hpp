// The choice between a fast formula and a general one.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <limits>
#include <type_traits>

/// The rule for fast formulas: each is valid in a stated range, and some are for float only. The general formula is for
/// all other numbers. A vector evaluates the general formula only if one of its lanes needs it, and usually out of
/// line, so that the fast path stays small. Each lane gets the bits that it would get alone.
namespace fastact::math {

/// Whether V holds floats, for which there are fast formulas.
template <class V>
constexpr bool is_single = std::is_same_v<typename V::Element, float>;

/// fast(arguments…) for float, general(arguments…) for double. The parameters of `fast` must be of any type, so that it
/// is compiled for float only.
template <class V, class Fast, class General, class... A>
auto in_float(Fast fast, General general, A... arguments) {
  if constexpr (is_single<V>) {
    return fast(arguments...);
  } else {
    return general(arguments...);
  }
}

/// f(x…) as a cold path: noinline keeps its registers and its code out of the fast path.
template <class F, class... V>
[[gnu::noinline, gnu::flatten]] auto cold_path(F f, V... x) {
  return f(x...);
}

/// f(mask, x…) as a cold path that computes one register of its arguments after another, so that f is compiled for a
/// single register. Y, the result for all registers, is a vector or a struct of vectors.
template <class Y, class F, class M, class... V>
[[gnu::noinline, gnu::flatten]] Y cold_registers(F f, M mask, V... x) {
  using Single = typename M::Single::Vector;
  constexpr std::size_t registers = sizeof(M) / sizeof(typename M::Single);
  std::array<std::array<Single, registers>, sizeof(Y) / sizeof(Single) / registers> y;
  for (std::size_t i = 0; i < registers; ++i) {
    const auto part = [i]<class X>(X all) { return std::bit_cast<std::array<typename X::Single, registers>>(all)[i]; };
    const auto of_register = std::bit_cast<std::array<Single, y.size()>>(f(part(mask), part(x)...));
    for (std::size_t k = 0; k < y.size(); ++k) y[k][i] = of_register[k];
  }
  return std::bit_cast<Y>(y);
}

/// near(arguments…) in the lanes of the mask, general(arguments…) in the others. In those, `near` gets zeros as
/// arguments, so that it does not meet subnormal numbers.
template <class M, class Near, class General, class... A>
auto near_or_general(M is_near, Near near, General general, A... arguments) {
  if (all(is_near)) [[likely]]
    return near(arguments...);
  if constexpr (M::Vector::size == 1) {
    return cold_path(general, arguments...);
  } else {
    const auto either = [near, general](auto m, auto... a) {
      const auto y = near(select(m, a, decltype(a){})...);
      return all(m) ? y : select(m, y, general(a...));
    };
    // Floats beyond 68 are not rare, and their registers take less time side by side.
    if constexpr (is_single<typename M::Vector>) {
      return cold_path(either, is_near, arguments...);
    } else {
      return cold_registers<decltype(near(arguments...))>(either, is_near, arguments...);
    }
  }
}

/// near(arguments…), but general(arguments…) where |g| > most and is_far(arguments…).
template <class V, class IsFar, class Near, class General, class... A>
auto near_unless_large(V g, double most, IsFar is_far, Near near, General general, A... arguments) {
  if (all(abs(g) <= V(most))) [[likely]]
    return near(arguments...);
  const auto split = [=](V once, A... a) {
    const V bound = select(is_far(a...), V(most), V(std::numeric_limits<float>::max()));
    return near_or_general(abs(once) <= bound, near, general, a...);
  };
  return cold_path(split, g, arguments...);
}

/// near(arguments…) where |x| <= 68 (float) or 640 (double), so that e^-|x| has a normal low part, and
/// general(arguments…) elsewhere.
template <class V, class Near, class General, class... A>
auto moderate_or_general(V x, Near near, General general, A... arguments) {
  return near_or_general(abs(x) <= V(is_single<V> ? 68.0 : 640.0), near, general, arguments...);
}

/// near(arguments…) for floats if 2^-59 <= |x| <= 68 in all lanes, and any(arguments…) otherwise. One comparison of bit
/// patterns tells whether a lane is in this range.
template <class V, class Near, class Any, class... A>
auto ordinary_or(V x, Near near, Any any, A... arguments) {
  const auto fast = [=](auto... a) {
    const V least = 0x1p-59, range = V(68.0).minus_bits(least);
    if (all(max_bits(abs(x).minus_bits(least), range) == range)) [[likely]]
      return near(a...);
    return cold_path(any, a...);
  };
  return in_float<V>(fast, any, arguments...);
}

}  // namespace fastact::math
