// The number of threads, and the distribution of work among them.
#include "runtime/threads.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "runtime/workers.hpp"
#include "simd/environment.hpp"

namespace fastact::runtime {
namespace {

// The least work for one more thread, several times the cost of involving a spinning thread. Waking a sleeping thread
// costs many grains.
std::atomic<std::size_t> grain{10'000'000};
constexpr std::size_t grains_to_wake = 20;

/// The number in FASTACT_NUM_THREADS; 0, which leaves the choice to OpenMP, if it is not set.
int from_environment() {
  const char* text = std::getenv("FASTACT_NUM_THREADS");
  if (text == nullptr || *text == '\0') return 0;
  const std::string_view value = text;
  int n = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), n);
  if (error != std::errc{} || end != value.data() + value.size() || n < 1) {
    throw std::invalid_argument("FASTACT_NUM_THREADS: '" + std::string(value) + "' is not a positive integer");
  }
  return n;
}

std::atomic<int>& wanted() {
  static std::atomic<int> threads{from_environment()};
  return threads;
}

/// A running call with enough work for several threads. Concurrent calls divide the threads among themselves, so that
/// there are never many more threads than processors. Alternating calls from several threads do so too, because they
/// are likely to overlap.
class Call {
 public:
  Call() : number_(workers_.running.fetch_add(1, std::memory_order_relaxed) + 1) {
    static thread_local const char self = 0;
    const void* const before = workers_.caller.exchange(&self, std::memory_order_relaxed);
    if (before != nullptr && before != &self) number_ = std::max(number_, 2);
  }
  ~Call() { workers_.running.fetch_sub(1, std::memory_order_relaxed); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  std::size_t threads() const { return static_cast<std::size_t>(std::max(1, get_num_threads() / number_)); }

 private:
  Workers& workers_ = workers();
  int number_;
};

/// The number of chunks of a thread's share that have been taken, and the number of chunks in a share.
struct alignas(64) Share {
  std::atomic<std::size_t> taken{0};
};
constexpr std::size_t chunks = 8;

/// Whether this thread belongs to an OpenMP team, whose other threads have their own work.
bool in_team() {
#ifdef _OPENMP
  return omp_in_parallel() != 0;
#else
  return false;
#endif
}

}  // namespace

void set_num_threads(int n) {
  if (n < 1) throw std::invalid_argument("n is " + std::to_string(n) + "; n >= 1 is required");
  wanted() = n;
}

int get_num_threads() {
  if (const int n = wanted(); n > 0) return n;
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
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

void split(std::size_t n, Work work, void (*body)(const void*, std::size_t, std::size_t), const void* context) {
  const std::size_t least = grain.load(std::memory_order_relaxed);
  const auto compute = [body, context](std::size_t begin, std::size_t end) {
    const simd::FloatEnvironment clean;
    body(context, begin, end);
  };
  if (n * work.cost < 2 * least || in_team()) return compute(0, n);
  const Call call;
  const std::size_t blocks = (n + work.border - 1) / work.border;
  const std::size_t threads = std::min({blocks, n * work.cost / least, call.threads()});
  const std::unique_ptr<Share[]> shares(threads > 1 ? new (std::nothrow) Share[threads] : nullptr);
  if (shares == nullptr) return compute(0, n);
  // A thread takes the chunks of its own share, which are the same in each call, and then those that others have not
  // yet taken, so that no thread waits for one that wakes late.
  const std::size_t all = std::min(blocks, chunks * threads);
  const auto take = [&](std::size_t number) {
    for (std::size_t share = number; share < number + threads; ++share) {
      const std::size_t owner = share % threads, first = all * owner / threads, end = all * (owner + 1) / threads;
      for (std::size_t chunk; (chunk = first + shares[owner].taken++) < end;) {
        compute(blocks * chunk / all * work.border, std::min(n, blocks * (chunk + 1) / all * work.border));
      }
    }
  };
  workers().help(threads - 1, n * work.cost / least >= grains_to_wake, take);
}

}  // namespace fastact::runtime
