// Calls with a parameter that has one element for each channel.
#pragma once

#include <span>

#include "kernels/interface.hpp"
#include "numpy/api.hpp"

namespace fastact::numpy {

/// The result of a call whose parameter has one element for each index along some adjacent axes of the arrays, where
/// all arrays are contiguous and of one type. For other calls it is a null object, and NumPy makes the call. For these
/// calls NumPy would copy the parameter into a buffer as long as the arrays, which takes longer than a cheap function.
pybind11::object call_by_channel(kernels::Activation activation, kernels::Pass pass, std::span<PyObject* const> arrays,
                                 PyObject* parameter, PyObject* out);

}  // namespace fastact::numpy
