// The Python functions of activations with parameters.
#pragma once

#include <string>

#include "kernels/interface.hpp"
#include "numpy/api.hpp"

namespace fastact::numpy {

/// The Python function of an activation with parameters: f(arrays…, parameters…, out=None, other arguments of ufuncs…).
/// A parameter value that the activation does not allow raises ValueError, and a parameter that is neither a real
/// number nor an array of real numbers raises TypeError. The ufuncs are those of make_ufunc. The documentation begins
/// with the signature, in the form that Python requires of built-in functions.
pybind11::object make_function(kernels::Activation activation, kernels::Pass pass, const pybind11::object& broadcasting,
                               const pybind11::object& uniform, const std::string& documentation);

}  // namespace fastact::numpy
