// The Python functions of dropout.
#pragma once

#include <string>

#include "numpy/api.hpp"

namespace fastact::numpy {

/// Adds NAME_part(array, rate, seed, offset, places), which computes a part of an array: the first number's place in
/// the stream is `offset`, and `places` are the distances in it along each axis. Also adds make_NAME(documentation,
/// elsewhere), which returns the Python function NAME(array, rate, seed, offset=0, *, out=None). That passes all but
/// NumPy's own arrays of a type with kernels to elsewhere(name, array, rate, seed, offset, out). The documentation
/// begins with the signature, in the form that Python requires of built-in functions.
void add_dropout(pybind11::module_& m);

}  // namespace fastact::numpy
