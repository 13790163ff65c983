// Elementwise calls with one parameter that has one number for each channel of the arrays.
#pragma once

#include <cstddef>

#include "runtime/elements.hpp"

namespace fastact::runtime {

/// Element i of the arrays belongs to channel i / inner modulo count.
struct Channels {
  std::size_t count, inner;
};

/// Computes n elements of contiguous arrays. The parameter is an array with one element for each channel, of the type
/// in which the kernel computes. It is expanded block by block, never to the size of the arrays.
void run(const ElementCall& call, Channels channels, std::size_t n);

}  // namespace fastact::runtime
