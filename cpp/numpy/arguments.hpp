#pragma once

#include "numpy/ufunc.hpp"

namespace fastact::numpy {

/// A function (keywords, arrays…, parameters…) -> the ufunc's arguments, for a function with parameters; keywords are
/// those of the call. A parameter that the activation does not allow, alone or in an array, is a ValueError, and what
/// is neither a real number nor an array of them a TypeError.
pybind11::object make_arguments(Activation activation, Pass pass);

}  // namespace fastact::numpy
