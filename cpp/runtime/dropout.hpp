// The code path that all calls of dropout, from C++ or NumPy, take to their kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/interface.hpp"

namespace fastact::runtime {

/// Throws std::invalid_argument, which names the function, unless 0 <= rate < 1. The arrays have this format.
kernels::DropoutCall dropout_call(std::string_view function, double rate, std::uint64_t seed, kernels::Format format);

/// One axis of x and y: its length, the strides in bytes, and the distance in the stream between the numbers of
/// neighbouring elements.
struct DropoutAxis {
  std::size_t length;
  std::ptrdiff_t x, y;
  std::uint64_t place;
};

/// y is x with some elements dropped; they are apart, or the same. The number of the first element has the place
/// `first` in the stream.
void drop(const kernels::DropoutCall& call, kernels::Format format, const void* x, void* y, std::uint64_t first,
          std::vector<DropoutAxis> axes);

}  // namespace fastact::runtime
