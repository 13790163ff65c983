// The instruction set in use, and its kernels.
#pragma once

#include <string_view>
#include <tuple>
#include <vector>

#include "kernels/interface.hpp"

namespace fastact::runtime {

/// All instruction sets of this build, the best first.
std::vector<const kernels::InstructionSet*> built();
/// Those that the processor supports.
std::vector<const kernels::InstructionSet*> available();
/// The instruction set in use: the best, unless FASTACT_ISA or a call of use() selects another.
const kernels::InstructionSet& current();
/// Selects an available instruction set. For other names it throws std::invalid_argument, which lists those available.
void use(std::string_view name);

/// The kernel in use; nullptr for a pass that does not exist.
template <class T>
kernels::Kernel kernel(kernels::Activation activation, kernels::Pass pass) {
  const kernels::ElementEntry& entry = current().elements[static_cast<std::size_t>(activation)];
  return (sizeof(T) == sizeof(float) ? entry.f32 : entry.f64)[static_cast<std::size_t>(pass)];
}
/// The kernel in use for arrays of this format, if it is one of half precision; nullptr if such arrays are converted.
inline kernels::Kernel half_kernel(kernels::Format format, kernels::Activation activation, kernels::Pass pass) {
  const kernels::ElementEntry& entry = current().elements[static_cast<std::size_t>(activation)];
  if (format == kernels::Format::f16) return entry.f16[static_cast<std::size_t>(pass)];
  if (format == kernels::Format::bf16) return entry.bf16[static_cast<std::size_t>(pass)];
  return nullptr;
}
/// The kernel in use for both gradients of a gate at once, or nullptr.
template <class T>
kernels::GateKernel gate_kernel(kernels::Activation activation) {
  return sizeof(T) == sizeof(float) ? current().elements[static_cast<std::size_t>(activation)].gate_gradients : nullptr;
}
template <class T>
kernels::RowKernel kernel(kernels::RowFunction function) {
  const kernels::RowEntry& entry = current().rows[static_cast<std::size_t>(function)];
  return sizeof(T) == sizeof(float) ? entry.f32 : entry.f64;
}

/// The conversion functions in use.
template <class S>
const kernels::Conversion<S>& conversion() {
  return std::get<kernels::Conversion<S>>(current().conversions);
}

}  // namespace fastact::runtime
