// How calls are split among threads.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

namespace fastact::runtime {

/// The cost of an item in picoseconds, and the number of items at whose multiples the work may be split. The default is
/// 64 elements, so that no two threads write to the same cache line.
struct Work {
  std::size_t cost, border = 64;
};

/// Calls body(context, begin, end) for all of [0, n), either once or for several parts on as many threads as are
/// available and pay off. Each call of body runs in a simd::FloatEnvironment. Concurrent callers share the threads.
void split(std::size_t n, Work work, void (*body)(const void* context, std::size_t begin, std::size_t end),
           const void* context);

template <class F>
void split(std::size_t n, Work work, const F& f) {
  split(
      n, work,
      [](const void* context, std::size_t begin, std::size_t end) { (*static_cast<const F*>(context))(begin, end); },
      std::addressof(f));
}

/// The number of threads that a call may use. Throws std::invalid_argument unless n >= 1.
void set_num_threads(int n);
int get_num_threads();

/// Sets the least work, in picoseconds, for which one more thread is used; returns the previous value.
std::size_t set_grain(std::size_t picoseconds);

/// Whether the default number of threads comes from OpenMP; otherwise it is the number of processors.
bool has_openmp();

}  // namespace fastact::runtime
