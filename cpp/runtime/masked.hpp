// Elementwise calls with a mask.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "runtime/elements.hpp"

namespace fastact::runtime {

/// An axis of the arrays of a masked call, with the strides in bytes along it.
struct MaskedAxis {
  std::size_t size;
  std::array<std::ptrdiff_t, kernels::most_inputs> inputs;
  std::ptrdiff_t output, mask;
};

constexpr std::size_t most_masked_axes = 64;

/// A call with a mask, as NumPy stores it. `sizes` are those of the inputs' elements in bytes, at most 8. The index of
/// the last axis varies fastest. The strides are those of the axes, not those in `call`.
struct MaskedCall {
  ElementCall call;
  std::array<std::size_t, kernels::most_inputs> sizes;
  const unsigned char* mask;
  std::span<const MaskedAxis> axes;
};

/// Computes only the elements where the mask is true; the others are neither read nor written.
void run(const MaskedCall& call);

}  // namespace fastact::runtime
