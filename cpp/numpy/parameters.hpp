#pragma once

#include "numpy/ufunc.hpp"

namespace fastact::numpy {

/// A function (values…) -> tuple that makes a function's parameters what its ufunc wants: numbers become 0-d float64
/// arrays, which cost a call less than half of what a Python float does. A parameter that the activation does not
/// allow, alone or in an array, is a ValueError; what is neither number nor array a TypeError.
pybind11::object make_parameters(Activation activation, Pass pass);

}  // namespace fastact::numpy
