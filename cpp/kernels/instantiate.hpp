#pragma once

#include "kernels/loops.hpp"
#include "kernels/rows.hpp"

namespace fastact::kernels {

/// All kernels, for one instruction set.
template <class Isa>
constexpr InstructionSet instantiate() {
  using V = simd::Vec<Isa, float>;
  return {Isa::name,
          Isa::supported,
          {conversion<V, simd::Half>, conversion<V, simd::Bfloat16>},
          elementwise_kernels<Isa>(),
          row_kernels<Isa>()};
}

}  // namespace fastact::kernels
