#include "runtime/threads.hpp"

#include <fastact/fastact.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace fastact {
namespace {

// Several times what it takes to wake a thread and to wait for it.
std::atomic<std::size_t> grain{10'000'000};

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
/// A call that is worth several threads, while it runs. Those that run at once have a part of the threads each, so that
/// together they never have many more than there are; and so have callers that take turns, whose calls will meet.
class Call {
 public:
  Call() : number_(running.fetch_add(1, std::memory_order_relaxed) + 1) {
    static thread_local const char self = 0;
    const void* const before = caller.exchange(&self, std::memory_order_relaxed);
    if (before != nullptr && before != &self) number_ = std::max(number_, 2);
  }
  ~Call() { running.fetch_sub(1, std::memory_order_relaxed); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  std::size_t threads() const { return static_cast<std::size_t>(std::max(1, get_num_threads() / number_)); }

 private:
  static inline std::atomic<int> running{0};
  static inline std::atomic<const void*> caller{nullptr};
  int number_;
};

/// How many pieces of a thread's share have been taken.
struct alignas(64) Share {
  std::atomic<std::size_t> taken{0};
};
constexpr std::size_t pieces = 8;

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

std::size_t set_grain(std::size_t picoseconds) { return grain.exchange(std::max<std::size_t>(picoseconds, 1)); }

void split(std::size_t n, [[maybe_unused]] Work work, void (*body)(const void*, std::size_t, std::size_t),
           const void* context) {
#ifdef _OPENMP
  const std::size_t least = grain.load(std::memory_order_relaxed);
  if (n * work.cost >= 2 * least && !forked && !omp_in_parallel()) {
    const Call call;
    const std::size_t blocks = (n + work.border - 1) / work.border;
    const std::size_t threads = std::min({blocks, n * work.cost / least, call.threads()});
    if (threads > 1) {
      // A thread takes the pieces of its own share, the same at each call, then what others have left of theirs: one
      // that wakes late does not keep the rest waiting.
      const std::size_t all = std::min(blocks, pieces * threads);
      std::vector<Share> shares(threads);
#pragma omp parallel num_threads(static_cast<int>(threads))
      {
        const auto rank = static_cast<std::size_t>(omp_get_thread_num());
        for (std::size_t share = rank; share < rank + threads; ++share) {
          const std::size_t owner = share % threads, first = all * owner / threads, end = all * (owner + 1) / threads;
          for (std::size_t piece; (piece = first + shares[owner].taken++) < end;) {
            body(context, blocks * piece / all * work.border, std::min(n, blocks * (piece + 1) / all * work.border));
          }
        }
      }
      return;
    }
    return body(context, 0, n);  // counted among those that run
  }
#endif
  body(context, 0, n);
}

}  // namespace fastact
