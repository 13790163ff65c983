// Half-precision numbers in memory.
#pragma once

#include <concepts>
#include <cstdint>

namespace fastact::simd {

/// IEEE binary16, as stored in memory; computations convert it to float.
struct Half {
  std::uint16_t bits;
};

/// bfloat16, the upper half of a float, as stored in memory; computations convert it to float.
struct Bfloat16 {
  std::uint16_t bits;
};

template <class S>
concept HalfPrecision = std::same_as<S, Half> || std::same_as<S, Bfloat16>;

}  // namespace fastact::simd
