// The ufuncs of activations.
#pragma once

#include <array>
#include <utility>

#include "kernels/interface.hpp"
#include "numpy/api.hpp"

namespace fastact::numpy {

/// The ufunc of one activation and pass; a null object for a pass that does not exist. Its inputs are the arrays and
/// then the parameters, which are never of half precision. A uniform ufunc takes only the arrays and reads the
/// parameters from UniformParameters.
pybind11::object make_ufunc(kernels::Activation activation, kernels::Pass pass, bool uniform);

using Numbers = std::array<double, kernels::most_parameters>;

/// The parameters of the uniform ufuncs that this thread calls during the lifetime of the object. Without such an
/// object, the parameters have their defaults.
class UniformParameters {
 public:
  explicit UniformParameters(const Numbers& numbers) : previous_(std::exchange(current, &numbers)) {}
  ~UniformParameters() { current = previous_; }
  UniformParameters(const UniformParameters&) = delete;
  UniformParameters& operator=(const UniformParameters&) = delete;

  static constinit inline thread_local const Numbers* current = nullptr;

 private:
  const Numbers* previous_;
};

}  // namespace fastact::numpy
