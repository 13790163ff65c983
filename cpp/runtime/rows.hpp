#pragma once

#include "runtime/dispatch.hpp"

namespace fastact {

/// The kernel over all rows, by as many threads as they are worth: each with rows of its own, unless there are only a
/// few long ones. A gated unit's only join what lies half a row apart.
void run(RowKernel kernel, RowCall call, std::size_t rows, bool gated);

}  // namespace fastact
