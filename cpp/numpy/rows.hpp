// The generalized ufuncs of row functions.
#pragma once

#include "kernels/interface.hpp"
#include "numpy/api.hpp"

namespace fastact::numpy {

/// The generalized ufunc of a function of rows.
pybind11::object make_row_ufunc(kernels::RowFunction function);

}  // namespace fastact::numpy
