#pragma once

#include "runtime/dispatch.hpp"

namespace fastact {

/// The kernel over all rows, by as many threads as they are worth: each with rows of its own, unless there are only a
/// few long ones.
void run(RowKernel kernel, const RowCall& call, std::size_t rows);

}  // namespace fastact
