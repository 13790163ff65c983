#pragma once

#include <span>

#include "numpy/ufunc.hpp"

namespace fastact::numpy {

/// Whether it is the number of bfloat16, a type that NumPy learns of when a program imports ml_dtypes.
bool is_bfloat16(int type);

/// The type of a call whose arrays have these types: the first with kernels that all of them can safely be cast to.
/// float64 where there is no type to go by, NPY_NOTYPE where none will do.
int common_type(std::span<const int> arrays);

/// The type of the parameters beside arrays of a type: the one computed in, so that half precision does not round them.
constexpr int parameter_type(int type) { return type == NPY_DOUBLE ? NPY_DOUBLE : NPY_FLOAT; }

}  // namespace fastact::numpy
