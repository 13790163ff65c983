#pragma once

#include <span>

#include "numpy/ufunc.hpp"

namespace fastact::numpy {

/// What the function gives where its one parameter has a number for each index along some neighbouring axes of the
/// arrays; a null object where that, or anything else, is not as plain as can be. NumPy would copy the parameter into a
/// buffer as long as the arrays, which takes longer than a cheap function.
pybind11::object call_by_channel(Activation activation, Pass pass, std::span<PyObject* const> arrays,
                                 PyObject* parameter, PyObject* out);

}  // namespace fastact::numpy
