#pragma once

// The one place that includes NumPy; module.cpp holds its API tables, the other sources refer to them.
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_1_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL fastact_array_api
#define PY_UFUNC_UNIQUE_SYMBOL fastact_ufunc_api
#ifndef FASTACT_HOLDS_NUMPY_API
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#endif
#include <pybind11/pybind11.h>

#include <numpy/arrayobject.h>
#include <numpy/ufuncobject.h>

#include <array>
#include <utility>

#include "runtime/dispatch.hpp"

namespace fastact::numpy {

constexpr std::size_t most_inputs = 2 + most_parameters;

/// How many arrays a pass takes: x, or x and g, or y and g.
constexpr std::size_t arrays_of(Pass pass) { return pass == Pass::forward ? 1 : 2; }

/// The ufunc of one activation and pass, a null object where there is none. Its inputs are the arrays, then the
/// parameters, which are never of half precision; a uniform one has UniformParameters in the place of these.
pybind11::object make_ufunc(Activation activation, Pass pass, bool uniform);

using Numbers = std::array<double, most_parameters>;

/// The parameters of the uniform ufuncs that this thread calls while the object lives; without one, their defaults.
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
