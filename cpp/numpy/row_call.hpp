// The Python functions of rows.
#pragma once

#include <string>

#include "kernels/interface.hpp"
#include "numpy/api.hpp"

namespace fastact::numpy {

/// (name, ((name in the signature, core dimension) of each input, …), (core dimension of each result, …), (name of each
/// argument, …)) of a row function. The arguments are the inputs, then options such as `axis`, and `out`.
pybind11::tuple describe_row_function(kernels::RowFunction function);

/// The Python function with these arguments. It computes with NumPy arrays and with objects that NumPy converts to
/// arrays. A call with other arguments, such as an array of another library, is passed to
/// elsewhere(name, arrays, {option: value}). The documentation begins with the signature, in the form that Python
/// requires of built-in functions.
pybind11::object make_row_function(kernels::RowFunction function, const std::string& documentation,
                                   const pybind11::object& elsewhere);

}  // namespace fastact::numpy
