#include "runtime/threads.hpp"

#include <fastact/fastact.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <string>

#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace fastact {
namespace {

std::atomic<std::size_t> grain{32768};

/// 0 leaves the choice to OpenMP.
int from_environment() {
  const char* text = std::getenv("FASTACT_NUM_THREADS");
  if (text == nullptr || *text == '\0') return 0;
  const std::string_view value = text;
  int n = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), n);
  if (error != std::errc{} || end != value.data() + value.size() || n < 1) {
    throw std::invalid_argument("FASTACT_NUM_THREADS: '" + std::string(value) + "' is not a whole number from 1 on");
  }
  return n;
}

std::atomic<int>& wanted() {
  static std::atomic<int> threads{from_environment()};
  return threads;
}

#ifdef _OPENMP
// One caller at a time has the threads; the others work alone, so that many callers never oversubscribe.
std::atomic_flag busy;

// GNU OpenMP's threads are gone in a forked child, and a parallel region there would wait for them forever.
std::atomic<bool> forked{false};

[[maybe_unused]] const int fork_guard = pthread_atfork(nullptr, nullptr, [] { forked = true; });
#endif

}  // namespace

void set_num_threads(int n) {
  if (n < 1) throw std::invalid_argument("n: " + std::to_string(n) + " threads are impossible; at least 1");
  wanted() = n;
}

int get_num_threads() {
#ifdef _OPENMP
  const int n = wanted();
  return n > 0 ? n : omp_get_max_threads();
#else
  return 1;
#endif
}

bool has_openmp() {
#ifdef _OPENMP
  return true;
#else
  return false;
#endif
}

std::size_t set_grain(std::size_t elements) { return grain.exchange(std::max<std::size_t>(elements, 1)); }

void split(std::size_t n, [[maybe_unused]] Work work, void (*body)(const void*, std::size_t, std::size_t),
           const void* context) {
#ifdef _OPENMP
  const std::size_t least = grain.load(std::memory_order_relaxed);
  if (n * work.cost >= 2 * least && !forked && !omp_in_parallel()) {
    const std::size_t blocks = (n + work.border - 1) / work.border;
    const std::size_t most = std::min(blocks, n * work.cost / least);
    const int threads = static_cast<int>(std::min(most, static_cast<std::size_t>(get_num_threads())));
    if (threads > 1 && !busy.test_and_set(std::memory_order_acquire)) {
#pragma omp parallel num_threads(threads)
      {
        const auto team = static_cast<std::size_t>(omp_get_num_threads());
        const auto rank = static_cast<std::size_t>(omp_get_thread_num());
        const std::size_t begin = blocks * rank / team * work.border;
        const std::size_t end = std::min(n, blocks * (rank + 1) / team * work.border);
        if (begin < end) body(context, begin, end);
      }
      busy.clear(std::memory_order_release);
      return;
    }
  }
#endif
  body(context, 0, n);
}

}  // namespace fastact
