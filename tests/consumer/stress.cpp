// Calls every function from several threads at once, on arrays of all lengths, while another thread changes the number
// of threads and the instruction set: `stress [seconds]`. Exits with 1 if a result differs from that of a quiet call. A
// sanitizer sees the rest.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "every.hpp"
#include "runtime/threads.hpp"

namespace {

constexpr std::size_t callers = 4, most_rows = 13, most_calls = 400;

template <class T>
struct Call {
  const Function<T>* function;
  std::size_t size;
  fastact::Axis axis;
  std::uint64_t expected = 0;

  std::uint64_t run() const {
    static const std::vector<T> x = inputs<T>(1, 1 << 14), g = inputs<T>(2, 1 << 14);
    // Each on memory of its own size: whoever strays leaves it.
    const auto own = [this](const std::vector<T>& all) { return std::vector(all.data(), all.data() + size); };
    const std::vector<std::int64_t> labels(size / axis.length);
    return hash<T>(function->call(own(x), own(g), labels, axis));
  }
};

template <class T>
std::vector<Call<T>> known_calls() {
  std::mt19937 random(1);
  const auto below = [&](std::size_t n) { return random() % n; };
  std::vector<Call<T>> calls;
  while (calls.size() < most_calls) {
    const Function<T>& f = functions<T>[calls.size() % functions<T>.size()];
    const std::size_t length = f.of_rows ? 2 * (1 + below(100)) : 1, inner = f.of_rows ? 1 + below(3) : 1;
    const std::size_t size = f.of_rows ? length * inner * (1 + below(most_rows)) : below(5000);
    calls.push_back({&f, size, {length, inner}});
    calls.back().expected = calls.back().run();
  }
  return calls;
}

template <class T>
int differing(const std::vector<Call<T>>& calls, std::size_t seed) {
  const Call<T>& call = calls[seed % calls.size()];
  if (call.run() == call.expected) return 0;
  std::printf("%s of %zu elements, rows of %zu: another result\n", call.function->name, call.size, call.axis.length);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::chrono::duration<double> time(argc > 1 ? std::atof(argv[1]) : 10.0);
  fastact::set_num_threads(1);
  const auto singles = known_calls<float>();
  const auto doubles = known_calls<double>();
  fastact::runtime::set_grain(1);

  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::atomic<std::size_t> count{0};
  std::vector<std::thread> threads;
  for (std::size_t id = 0; id < callers; ++id) {
    threads.emplace_back([&, id] {
      for (std::mt19937 random(static_cast<unsigned>(id)); !done; ++count) {
        wrong += random() % 2 == 0 ? differing(singles, random()) : differing(doubles, random());
      }
    });
  }
  const auto end = std::chrono::steady_clock::now() + time;
  for (std::size_t i = 0; std::chrono::steady_clock::now() < end; ++i) {
    fastact::set_num_threads(1 + static_cast<int>(i % 4));
    const auto sets = fastact::instruction_sets();
    fastact::set_instruction_set(sets[i % sets.size()]);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  std::printf("%zu calls from %zu threads, %d wrong\n", count.load(), callers, wrong.load());
  return wrong == 0 ? 0 : 1;
}
