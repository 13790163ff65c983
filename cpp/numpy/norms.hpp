// The Python functions of norms.
#pragma once

#include <string>

#include "numpy/api.hpp"
#include "runtime/norms.hpp"

namespace fastact::numpy {

/// (name, names of the arguments, how many of them are shaped like x, how many are required, names of the results, the
/// default of eps).
pybind11::tuple describe_norm(const runtime::NormDescription& norm);

/// The Python function f(arguments…, axis=-1, eps=default, *, out=None), as make_row_function makes those of rows.
pybind11::object make_norm_function(const runtime::NormDescription& norm, const std::string& documentation,
                                    const pybind11::object& elsewhere);

}  // namespace fastact::numpy
