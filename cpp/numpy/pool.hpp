#pragma once

#include "numpy/ufunc.hpp"

namespace fastact::numpy {

/// Adds to the module `Pool(limit)`, an allocator of array data that keeps what is freed for reuse, and
/// `set_handler(capsule)`, which has NumPy allocate by it in the current context and returns the one before.
void add_pool(pybind11::module_& m);

}  // namespace fastact::numpy
