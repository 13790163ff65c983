#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

namespace fastact {

/// What one of n items costs, in picoseconds, and the number of items whose multiples may be borders: 64 elements, so
/// that no two threads write to one cache line.
struct Work {
  std::size_t cost, border = 64;
};

/// body(context, begin, end) over [0, n) in one piece, or in several to as many threads as there are and the work is
/// worth. Calls from several threads at once share the threads.
void split(std::size_t n, Work work, void (*body)(const void* context, std::size_t begin, std::size_t end),
           const void* context);

template <class F>
void split(std::size_t n, Work work, const F& f) {
  split(
      n, work,
      [](const void* context, std::size_t begin, std::size_t end) { (*static_cast<const F*>(context))(begin, end); },
      std::addressof(f));
}

/// The least work, in picoseconds, that a further thread is asked to help with; returns what it was.
std::size_t set_grain(std::size_t picoseconds);

/// Whether OpenMP says how many threads there are by default; else it is the number of processors.
bool has_openmp();

}  // namespace fastact
