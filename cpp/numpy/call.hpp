#pragma once

#include <string>

#include "numpy/ufunc.hpp"

namespace fastact::numpy {

/// The Python function of an activation with parameters, f(arrays…, parameters…, out=None, what else ufuncs take…). A
/// parameter that the activation does not allow, alone or in an array, is a ValueError, and what is neither a real
/// number nor an array of them a TypeError. The ufuncs are those of make_ufunc. The documentation begins with the
/// signature, in the form that Python asks of built-in functions.
pybind11::object make_function(Activation activation, Pass pass, const pybind11::object& broadcasting,
                               const pybind11::object& uniform, const std::string& documentation);

}  // namespace fastact::numpy
