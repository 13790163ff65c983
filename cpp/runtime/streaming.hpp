#pragma once

#include <cstddef>
#include <span>

namespace fastact {

/// How many bytes inputs and output of a call hold from which on it writes past the caches: what the last-level cache
/// holds, as the system reports it.
std::size_t streaming_threshold();
/// Returns what it was.
std::size_t set_streaming_threshold(std::size_t bytes);

/// Whether to write n elements past the caches: at the end, little of them would be left there, and a cache line is
/// read before it is written. Not in place, where it is there already.
bool streams(std::span<const void* const> arrays, const void* output, std::size_t n, std::size_t item);

}  // namespace fastact
