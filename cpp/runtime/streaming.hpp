// The choice of non-temporal stores.
#pragma once

#include <cstddef>
#include <span>

namespace fastact::runtime {

/// The total size in bytes of the inputs and the output from which a call uses non-temporal stores. The default is the
/// size of the last-level cache that the system reports.
std::size_t streaming_threshold();
/// Returns the previous size.
std::size_t set_streaming_threshold(std::size_t bytes);

/// Whether to write n elements with non-temporal stores. The caches keep little of a large output, and without such
/// stores each cache line is read before it is written. In place, the cache lines have been read already.
bool streams(std::span<const void* const> arrays, const void* output, std::size_t n, std::size_t item);

}  // namespace fastact::runtime
