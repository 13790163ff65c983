// The gradients of gates of two arrays.
#pragma once

#include <array>
#include <cstddef>

#include "kernels/interface.hpp"
#include "runtime/elements.hpp"

namespace fastact::runtime {

struct Output {
  void* data;
  std::ptrdiff_t stride;  // in bytes
};

/// The gradients of f(a) b: g b f'(a) for a, and g f(a) for b.
struct GateGradientCall {
  kernels::Activation activation;
  kernels::Format format;
  std::array<Strided, 3> inputs;  // a, b, g
  std::array<Output, 2> outputs;  // of a, of b; either may be one of the inputs
};

void run(const GateGradientCall& call, std::size_t n);

}  // namespace fastact::runtime
