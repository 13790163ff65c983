// The ufuncs of gates' gradients.
#pragma once

#include "kernels/interface.hpp"
#include "numpy/api.hpp"

namespace fastact::numpy {

/// The ufunc of a, b and g that returns the gradients for a and b.
pybind11::object make_gate_gradient_ufunc(kernels::Activation activation);

}  // namespace fastact::numpy
