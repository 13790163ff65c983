// Tables that are looked up in registers.
#pragma once

#include <cstddef>

namespace fastact::simd {

/// 16 numbers.
struct Sixteen {
  alignas(64) float numbers[16];
};

/// 8 numbers, stored twice, because a register of AVX-512 holds twice as many.
struct Eight {
  alignas(64) float numbers[16];
  constexpr Eight(const float (&few)[8]) : numbers{} {
    for (std::size_t i = 0; i < 16; ++i) numbers[i] = few[i % 8];
  }
};

}  // namespace fastact::simd
