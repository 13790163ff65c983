#pragma once

#include "numpy/ufunc.hpp"

namespace fastact::numpy {

/// The generalized ufunc of a function of rows.
pybind11::object make_row_ufunc(RowFunction function);

}  // namespace fastact::numpy
