#pragma once

#include "kernels/loops.hpp"
#include "kernels/rows.hpp"

namespace fastact::kernels {

/// All kernels, for one instruction set.
template <class Isa>
constexpr InstructionSet instantiate() {
  return {Isa::name, Isa::supported, elementwise_kernels<Isa>(), row_kernels<Isa>()};
}

}  // namespace fastact::kernels
