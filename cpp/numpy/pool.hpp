// A pool of array memory.
#pragma once

#include "numpy/api.hpp"

namespace fastact::numpy {

/// Adds to the module `Pool(limit)`, an allocator of array data that keeps freed memory for reuse, and
/// `set_handler(capsule)`, which installs an allocator in the current context and returns the previous one.
void add_pool(pybind11::module_& m);

}  // namespace fastact::numpy
