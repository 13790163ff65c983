// An informative error message if autograd meets a ufunc that it does not know yet.
#pragma once

#include "numpy/api.hpp"

namespace fastact::numpy {

/// Makes the ufunc mention the missing `import fastact.autograd` in its error for an array of autograd.
void explain_autograd(const pybind11::object& ufunc);

}  // namespace fastact::numpy
