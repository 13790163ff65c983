#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace fastact {

/// Threads that help with a call, made when first needed and kept. One that has nothing to do looks out for work for a
/// little while and then sleeps: OpenMP's wait busily for milliseconds, and take the processor from a matrix product
/// that follows on the BLAS's threads.
class Workers {
 public:
  /// body(context, 0) on this thread, meanwhile body(context, number) on up to n others, whose numbers begin at 1.
  /// Help is not certain: those asleep are woken only if that is worth it or calls follow one another, they may come
  /// too late, and there may be no more threads to be had.
  void help(std::size_t n, bool worth_waking, void (*body)(const void* context, std::size_t number),
            const void* context);

  template <class F>
  void help(std::size_t n, bool worth_waking, const F& f) {
    const auto body = [](const void* context, std::size_t number) { (*static_cast<const F*>(context))(number); };
    help(n, worth_waking, body, &f);
  }

  /// Calls that run, and the thread that made the last.
  std::atomic<int> running{0};
  std::atomic<const void*> caller{nullptr};

 private:
  using Clock = std::chrono::steady_clock;
  struct Job {
    void (*body)(const void*, std::size_t);
    const void* context;
    std::size_t wanted, joined = 0;
    Job* next;
    std::atomic<std::size_t> done{0};
  };

  void grow(std::size_t n);
  [[noreturn]] void serve(std::size_t number);

  std::mutex mutex_;  // of all that follows, but the look-out reads whether there is a job
  std::condition_variable wake_;
  std::atomic<Job*> first_{nullptr};
  std::size_t size_ = 0;
  Clock::time_point last_;  // end of a call
};

/// Those of this process; a forked child has none of its parent's threads, and begins anew.
Workers& workers();

}  // namespace fastact
