// The code path that all elementwise calls, from C++ or NumPy, take to their kernel.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include "kernels/interface.hpp"

namespace fastact::runtime {

template <class T>
constexpr kernels::Format format = std::is_same_v<T, float> ? kernels::Format::f32 : kernels::Format::f64;

struct Strided {
  const void* data;
  std::ptrdiff_t stride;  // in bytes
};

/// The type of the parameters: the type in which the kernel computes, double, or long double.
enum class ParameterType { computed, float64, extended };

/// The type of the arrays: that of `format`, or integers, which are converted block by block.
enum class ArrayType { as_format, boolean, int8, uint8, int16, uint16 };

/// A kernel and its operands. The inputs are the arrays, then the parameters.
struct ElementCall {
  kernels::Kernel kernel;          // for arrays of the type in which it computes
  kernels::Kernel half = nullptr;  // for arrays of this format, if it is one of half precision that has a kernel
  std::size_t cost;                // of an element, in picoseconds
  std::size_t arrays, parameters;
  kernels::Format format;  // of the output and, unless array_type says otherwise, of the arrays
  ArrayType array_type;
  ParameterType parameter_type;
  std::array<Strided, kernels::most_inputs> inputs;
  void* output;
  std::ptrdiff_t output_stride;
};

/// Computes n elements, on as many threads as pay off. Contiguous arrays of the type in which the kernel computes are
/// passed to it directly. Others are packed block by block into a buffer in the first-level cache.
void run(const ElementCall& call, std::size_t n);

}  // namespace fastact::runtime
