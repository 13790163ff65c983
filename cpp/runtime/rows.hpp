// The code path that all calls of row functions, from C++ or NumPy, take to their kernel.
#pragma once

#include "kernels/interface.hpp"

namespace fastact::runtime {

/// Computes all rows, on as many threads as they are worth: each thread has rows of its own, unless there are only a
/// few long ones. `halves` says that the function only combines elements that are half a row apart, as gated units do.
void run(kernels::RowKernel kernel, kernels::RowCall call, std::size_t rows, bool halves);

}  // namespace fastact::runtime
