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
#include <exception>
#include <new>
#include <utility>

#include "runtime/dispatch.hpp"

namespace fastact::numpy {

constexpr std::size_t most_inputs = 2 + most_parameters;

/// How many arrays a pass takes: x, or x and g, or y and g.
constexpr std::size_t arrays_of(Pass pass) { return pass == Pass::forward ? 1 : 2; }

/// The ufunc of one activation and pass, a null object where there is none. Its inputs are the arrays, then the
/// parameters, which are never of half precision; a uniform one has UniformParameters in the place of these.
pybind11::object make_ufunc(Activation activation, Pass pass, bool uniform);

/// What f returns; or, where it throws, what a function called by C returns after it has set a Python exception.
template <class R, class F>
R in_c(R failure, const F& f) {
  try {
    return f();
  } catch (pybind11::error_already_set& error) {
    error.restore();
  } catch (const pybind11::builtin_exception& error) {
    error.set_error();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return failure;
}

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
