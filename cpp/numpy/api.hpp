// The only header that includes NumPy, whose API tables belong to one unit: all sources beside this header.
#pragma once

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_1_API_VERSION
#include <pybind11/pybind11.h>

#include <numpy/arrayobject.h>
#include <numpy/arrayscalars.h>
#include <numpy/ufuncobject.h>

#include <exception>
#include <new>

namespace fastact::numpy {

/// The result of f. If f throws, sets a Python exception and returns the value that reports an exception to C.
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

}  // namespace fastact::numpy
