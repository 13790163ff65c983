#pragma once

#include <concepts>
#include <cstdint>

namespace fastact::simd {

/// IEEE binary16, as it lies in memory; computed with as float.
struct Half {
  std::uint16_t bits;
};

/// The upper half of a float, as it lies in memory; computed with as float.
struct Bfloat16 {
  std::uint16_t bits;
};

template <class S>
concept HalfPrecision = std::same_as<S, Half> || std::same_as<S, Bfloat16>;

}  // namespace fastact::simd
