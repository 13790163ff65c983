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

#include "runtime/dispatch.hpp"

namespace fastact::numpy {

constexpr std::size_t most_arrays = 2;

/// The ufunc of one activation and pass, a null object where there is none. Its inputs are the arrays, then the
/// parameters, which are float32 beside arrays of half precision.
pybind11::object make_ufunc(Activation activation, Pass pass);

}  // namespace fastact::numpy
