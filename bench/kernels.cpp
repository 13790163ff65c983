// Every kernel by itself, on one thread: activation/pass/type/instruction set/elements, and for functions of rows
// function/type/instruction set/row length or its number of rows side by side; and a processor's cycle. Narrow it down
// with
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

void count(benchmark::State& state, std::size_t elements) {
  using benchmark::Counter;
  state.counters["time/element"] =
      Counter(static_cast<double>(elements), Counter::kIsIterationInvariantRate | Counter::kInvert);
}

/// A processor's cycle: what an addition takes that waits for the one before.
void cycle(benchmark::State& state) {
  constexpr std::size_t additions = 1000;
  std::size_t sum = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < additions; ++i) {
      ++sum;
      asm volatile("" : "+r"(sum));
    }
  }
  count(state, additions);
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
    kernel(inputs.data(), y.data(), n, {.uniform = true, .streaming = false});
    benchmark::ClobberMemory();
  }
  count(state, n);
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

constexpr std::size_t row_elements = 1 << 16;
constexpr std::size_t row_lengths[] = {10, 64, 1024, row_elements};

/// Rows that follow one another, or lie side by side; labels are all 0, and whatever else there is comes from a normal
/// distribution.
template <class T>
void run_rows(benchmark::State& state, RowKernel kernel, const RowDescription& function, std::size_t length,
              bool side_by_side) {
  static std::vector<T> x = normal<T>(row_elements), g = normal<T>(row_elements), y(row_elements);
  static std::vector<std::int64_t> labels(row_elements);
  static std::vector<double> sums(row_elements);
  const std::size_t rows = row_elements / length;
  RowCall call = {};
  call.length = length;
  call.rows_format = call.format = sizeof(T) == sizeof(float) ? Format::f32 : Format::f64;
  std::size_t operand = 0;
  bool is_output = false;
  for (const char* c = function.signature; *c != '\0'; ++c) {
    if (*c == '-') is_output = true;
    if (*c != '(') continue;
    const std::size_t along = c[1] == 'n' ? length : c[1] == 'm' ? length / 2 : 1;
    const auto strides = [&](std::size_t item) {
      const auto size = static_cast<std::ptrdiff_t>(item), many = static_cast<std::ptrdiff_t>(rows);
      return side_by_side ? std::array{size, many * size} : std::array{static_cast<std::ptrdiff_t>(along) * size, size};
    };
    const bool is_label = function.labelled && operand == 1;
    const bool is_sum = function.parameter && is_output && along == 1;
    void* const data = is_label ? static_cast<void*>(labels.data())
                       : is_sum ? static_cast<void*>(sums.data())
                                : static_cast<void*>((is_output      ? y
                                                      : operand == 0 ? x
                                                                     : g)
                                                         .data());
    const auto [row, element] = strides(is_label || is_sum ? 8 : sizeof(T));
    call.operands[operand++] = {data, row, element};
  }
  for (auto _ : state) {
    kernel(call, 0, rows);
    benchmark::ClobberMemory();
  }
  count(state, rows * length);
}

void add_rows(const InstructionSet& set, std::size_t function) {
  const RowDescription& description = row_catalogue[function];
  const auto add_type = [&](const char* type, RowKernel kernel, auto run) {
    const auto add_one = [&](std::size_t length, bool side_by_side) {
      const std::string name = std::string(description.name) + "/" + type + "/" + std::string(set.name) + "/" +
                               std::to_string(length) + (side_by_side ? "/side_by_side" : "");
      benchmark::RegisterBenchmark(name.c_str(), [=, &description](benchmark::State& state) {
        run(state, kernel, description, length, side_by_side);
      });
    };
    for (const std::size_t length : row_lengths) add_one(length, false);
    add_one(row_lengths[1], true);
  };
  add_type("float32", set.rows[function].f32, run_rows<float>);
  add_type("float64", set.rows[function].f64, run_rows<double>);
}

}  // namespace
}  // namespace fastact

int main(int argc, char** argv) {
  benchmark::RegisterBenchmark("cycle", fastact::cycle);
  for (const fastact::InstructionSet* set : fastact::available()) {
    for (std::size_t i = 0; i < std::size(fastact::catalogue); ++i) {
      for (const auto pass : {fastact::Pass::forward, fastact::Pass::backward, fastact::Pass::backward_from_output}) {
        fastact::add(*set, i, pass);
      }
    }
  }
  for (const fastact::InstructionSet* set : fastact::available()) {
    for (std::size_t i = 0; i < std::size(fastact::row_catalogue); ++i) fastact::add_rows(*set, i);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
