// The code path that all calls of norms, from C++ or NumPy, take to their kernel.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "kernels/interface.hpp"

namespace fastact::runtime {

/// A function of a norm: its arguments, of which the first `rows` are shaped like x and the first `required` have no
/// default, its results, and the default of eps.
struct NormDescription {
  const char* name;
  kernels::Norm norm;
  kernels::NormPass pass;
  std::array<const char*, 5> arguments;
  std::size_t rows, required;
  std::array<const char*, 3> results;
  double eps;

  std::size_t count() const { return length(arguments); }
  std::size_t outputs() const { return length(results); }
  bool has_gradient() const { return pass == kernels::NormPass::backward; }

 private:
  static constexpr std::size_t length(std::span<const char* const> names) {
    std::size_t n = 0;
    while (n < names.size() && names[n] != nullptr) ++n;
    return n;
  }
};

inline constexpr auto norm_catalogue = [] {
  using enum kernels::Norm;
  using enum kernels::NormPass;
  constexpr double deviation = 1e-5, root = 1e-6;
  return std::to_array<NormDescription>({
      {"layer_norm", layer, forward, {"x", "gamma", "beta"}, 1, 1, {"y"}, deviation},
      {"layer_norm_backward", layer, backward, {"x", "g", "gamma"}, 2, 2, {"dx", "dgamma", "dbeta"}, deviation},
      {"rms_norm", rms, forward, {"x", "gamma"}, 1, 1, {"y"}, root},
      {"rms_norm_backward", rms, backward, {"x", "g", "gamma"}, 2, 2, {"dx", "dgamma"}, root},
      {"batch_norm", batch, forward, {"x", "gamma", "beta"}, 1, 1, {"y", "mean", "variance"}, deviation},
      {"batch_norm_backward", batch, backward, {"x", "g", "gamma"}, 2, 2, {"dx", "dgamma", "dbeta"}, deviation},
      {"batch_norm_inference", batch, given, {"x", "mean", "variance", "gamma", "beta"}, 1, 3, {"y"}, deviation},
  });
}();

/// One of the axes along which rows follow one another, with the strides of x, g and the result in bytes.
struct NormAxis {
  std::size_t size;
  std::array<std::ptrdiff_t, 3> strides;
};

/// Normalizes all rows, on as many threads as they are worth. The last axis varies fastest. The gradients of gamma and
/// beta, but for those of a batch norm, are sums over the rows in the order of the axes: `first` and `second` have one
/// double for each element of a row, without low parts. They are summed in blocks of rows whose number depends on the
/// shape alone.
void run(const kernels::NormCall& call, std::span<const NormAxis> axes);

}  // namespace fastact::runtime
