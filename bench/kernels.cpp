// Every kernel by itself, on one thread: activation/pass/type/instruction set/elements. Narrow it down with
// --benchmark_filter=gelu/forward/float32/avx512, for one.

#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "runtime/dispatch.hpp"

namespace fastact {
namespace {

// In the first-level cache, in the second, and beyond every cache.
constexpr std::size_t sizes[] = {1 << 11, 1 << 16, 1 << 24};
constexpr const char* names[] = {"forward", "backward", "backward_from_output"};

template <class T>
std::vector<T> normal(std::size_t n) {
  std::mt19937 random;
  std::normal_distribution<T> distribution(0, 2);
  std::vector<T> x(n);
  for (T& value : x) value = distribution(random);
  return x;
}

template <class T>
void run(benchmark::State& state, Kernel kernel, const Description& activation, bool backward, std::size_t n) {
  static const std::vector<T> x = normal<T>(sizes[2]);
  static const std::vector<T> g = normal<T>(sizes[2]);
  static std::vector<T> y(sizes[2]);
  std::array<T, most_parameters> parameters = {};
  std::vector<const void*> inputs = {x.data()};
  if (backward) inputs.push_back(g.data());
  for (std::size_t i = 0; i < activation.parameter_count; ++i) {
    const double value = activation.parameters[i].value;
    parameters[i] = static_cast<T>(std::isnan(value) ? 0.25 : value);  // NaN says that there is no default
    inputs.push_back(&parameters[i]);
  }
  for (auto _ : state) {
    kernel(inputs.data(), y.data(), n, true);
    benchmark::ClobberMemory();
  }
  using benchmark::Counter;
  state.counters["time/element"] =
      Counter(static_cast<double>(n), Counter::kIsIterationInvariantRate | Counter::kInvert);
  state.SetBytesProcessed(static_cast<std::int64_t>(n * sizeof(T) * (backward ? 3 : 2)) * state.iterations());
}

void add(const InstructionSet& set, std::size_t activation, Pass pass) {
  const Description& description = catalogue[activation];
  const auto add_type = [&](const char* type, Kernel kernel, auto function) {
    if (kernel == nullptr) return;
    for (const std::size_t n : sizes) {
      const std::string name = std::string(description.name) + "/" + names[static_cast<std::size_t>(pass)] + "/" +
                               type + "/" + std::string(set.name) + "/" + std::to_string(n);
      benchmark::RegisterBenchmark(name.c_str(), [=, &description](benchmark::State& state) {
        function(state, kernel, description, pass != Pass::forward, n);
      });
    }
  };
  const Entry& entry = set.table[activation];
  add_type("float32", entry.f32[static_cast<std::size_t>(pass)], run<float>);
  add_type("float64", entry.f64[static_cast<std::size_t>(pass)], run<double>);
}

}  // namespace
}  // namespace fastact

int main(int argc, char** argv) {
  for (const fastact::InstructionSet* set : fastact::available()) {
    for (std::size_t i = 0; i < std::size(fastact::catalogue); ++i) {
      for (const auto pass : {fastact::Pass::forward, fastact::Pass::backward, fastact::Pass::backward_from_output}) {
        fastact::add(*set, i, pass);
      }
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
