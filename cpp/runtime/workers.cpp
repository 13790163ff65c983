// Starts and wakes worker threads, and replaces them in a forked child.
#include "runtime/workers.hpp"

#include <exception>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#ifdef __linux__
#include <sched.h>
#endif

namespace fastact::runtime {
namespace {

// The time that an idle thread spins: longer than the time between consecutive calls, far shorter than a matrix
// product.
constexpr std::chrono::microseconds spin{50};

// It is never deleted, because its threads use it until the process ends.
Workers* those_of_this_process = new Workers;

#if defined(__unix__) || defined(__APPLE__)
[[maybe_unused]] const int fork_guard = pthread_atfork(nullptr, nullptr, [] { those_of_this_process = new Workers; });
#endif

using Thread = std::thread::native_handle_type;

#ifdef __linux__
Thread this_thread() { return pthread_self(); }
int processor() { return sched_getcpu(); }

/// Keeps this thread off its caller's processor from now on, if it finds itself there. Linux often wakes a worker on
/// the processor of the thread that wakes it, where it waits for milliseconds although another processor is idle: under
/// KVM, for one, an idle virtual processor does not count as available.
void leave(Thread caller, int processor_of_caller) {
  cpu_set_t others;
  if (processor() != processor_of_caller || pthread_getaffinity_np(caller, sizeof others, &others) != 0) return;
  CPU_CLR(processor_of_caller, &others);
  if (CPU_COUNT(&others) > 0) sched_setaffinity(0, sizeof others, &others);
}
#else
Thread this_thread() { return {}; }
int processor() { return -1; }
void leave(Thread, int) {}
#endif

}  // namespace

Workers& workers() { return *those_of_this_process; }

void Workers::help(std::size_t n, bool worth_waking, void (*body)(const void*, std::size_t), const void* context) {
  Job job{.body = body,
          .context = context,
          .caller = this_thread(),
          .processor = processor(),
          .wanted = n,
          .next = nullptr};
  {
    const std::lock_guard lock(mutex_);
    grow(n);
    job.next = first_;
    first_ = &job;
    worth_waking = worth_waking || Clock::now() - last_ < spin;
  }
  for (std::size_t i = 0; worth_waking && i < n; ++i) wake_.notify_one();
  body(context, 0);
  {
    const std::lock_guard lock(mutex_);
    if (first_ == &job) first_ = job.next;
    for (Job* other = first_; other != nullptr; other = other->next) {
      if (other->next == &job) other->next = job.next;
    }
    last_ = Clock::now();
  }
  while (job.done.load(std::memory_order_acquire) != job.joined) std::this_thread::yield();
}

void Workers::grow(std::size_t n) {
  try {
    while (size_ < n) {
      std::thread([this, number = size_ + 1] { serve(number); }).detach();
      ++size_;
    }
  } catch (const std::exception&) {  // out of memory or threads: the call uses fewer threads
  }
}

void Workers::serve(std::size_t number) {
  for (;;) {
    for (const auto until = Clock::now() + spin; first_.load(std::memory_order_relaxed) == nullptr;) {
      if (Clock::now() > until) break;
      std::this_thread::yield();
    }
    std::unique_lock lock(mutex_);
    if (first_ == nullptr) wake_.wait(lock);
    if (first_ == nullptr) continue;  // another thread took the job
    Job& job = *first_;
    ++job.joined;
    if (--job.wanted == 0) first_ = job.next;
    lock.unlock();
    leave(job.caller, job.processor);
    job.body(job.context, number);
    job.done.fetch_add(1, std::memory_order_release);
  }
}

}  // namespace fastact::runtime
