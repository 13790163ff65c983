// Threads that wait for work.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

namespace fastact::runtime {

/// Worker threads, which are started when they are first needed and then kept. An idle thread spins for a short time
/// and then sleeps. OpenMP's threads would spin for milliseconds and take the processor from the BLAS threads of the
/// next matrix product.
class Workers {
 public:
  /// Calls body(context, 0) on this thread and concurrently body(context, number) on up to n others, numbered from 1.
  /// There may be fewer others: sleeping threads are woken only if worth_waking is true or calls follow one another
  /// closely, they may wake too late, and the system may refuse to start threads.
  void help(std::size_t n, bool worth_waking, void (*body)(const void* context, std::size_t number),
            const void* context);

  template <class F>
  void help(std::size_t n, bool worth_waking, const F& f) {
    const auto body = [](const void* context, std::size_t number) { (*static_cast<const F*>(context))(number); };
    help(n, worth_waking, body, &f);
  }

  /// The number of running calls, and the thread of the latest call.
  std::atomic<int> running{0};
  std::atomic<const void*> caller{nullptr};

 private:
  using Clock = std::chrono::steady_clock;
  struct Job {
    void (*body)(const void*, std::size_t);
    const void* context;
    std::thread::native_handle_type caller;
    int processor;  // of the caller
    std::size_t wanted, joined = 0;
    Job* next;
    std::atomic<std::size_t> done{0};
  };

  void grow(std::size_t n);
  [[noreturn]] void serve(std::size_t number);

  std::mutex mutex_;  // guards all members below; spinning threads read first_ without it
  std::condition_variable wake_;
  std::atomic<Job*> first_{nullptr};
  std::size_t size_ = 0;
  Clock::time_point last_;  // the end of the latest call
};

/// The workers of this process. A forked child has none of its parent's threads and starts its own.
Workers& workers();

}  // namespace fastact::runtime
