// Every kernel by itself, on one thread: activation/pass/type/instruction set/elements, and for functions of rows
// function/type/instruction set/row length or its number of rows side by side; and a processor's cycle. Narrow it down
// with
// --benchmark_filter=gelu/forward/float32/avx512, for one.

#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "runtime/catalogue.hpp"
#include "runtime/dispatch.hpp"

namespace {

using namespace fastact::kernels;
using namespace fastact::runtime;

// In the first-level cache, in the second, and beyond every cache.
constexpr std::size_t sizes[] = {1 << 11, 1 << 16, 1 << 24};
constexpr const char* names[] = {"forward", "backward", "backward_from_output", "gate"};

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
void run(benchmark::State& state, Kernel kernel, const Description& activation, std::size_t arrays, std::size_t n) {
  static const std::vector<T> x = normal<T>(sizes[2]);
  static const std::vector<T> g = normal<T>(sizes[2]);
  static std::vector<T> y(sizes[2]);
  std::array<T, most_parameters> parameters = {};
  std::vector<const void*> inputs = {x.data()};
  inputs.resize(arrays, g.data());
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
  state.SetBytesProcessed(static_cast<std::int64_t>(n * sizeof(T) * (arrays + 1)) * state.iterations());
}

void add(const InstructionSet& set, std::size_t activation, Pass pass) {
  const Description& description = catalogue[activation];
  const auto add_type = [&](const char* type, Kernel kernel, auto function) {
    if (kernel == nullptr) return;
    for (const std::size_t n : sizes) {
      const std::string name = std::string(description.name) + "/" + names[static_cast<std::size_t>(pass)] + "/" +
                               type + "/" + std::string(set.name) + "/" + std::to_string(n);
      benchmark::RegisterBenchmark(name.c_str(), [=, &description](benchmark::State& state) {
        function(state, kernel, description, description.inputs(pass).size(), n);
      });
    }
  };
  const ElementEntry& entry = set.elements[activation];
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
  for (std::size_t k = 0; k < function.signature.count; ++k) {
    const RowOperand& operand = function.signature.operands[k];
    const std::size_t along = operand.divisor == 0 ? 1 : length / operand.divisor;
    T* const numbers = k >= function.signature.inputs ? y.data() : k == 0 ? x.data() : g.data();
    void* const data = operand.role == Role::labels ? static_cast<void*>(labels.data())
                       : operand.role == Role::sum  ? static_cast<void*>(sums.data())
                                                    : numbers;
    const auto item =
        static_cast<std::ptrdiff_t>(operand.role == Role::labels || operand.role == Role::sum ? 8 : sizeof(T));
    const auto many = static_cast<std::ptrdiff_t>(side_by_side ? rows : along);
    call.operands[k] = side_by_side ? Operand{data, item, many * item} : Operand{data, many * item, item};
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

int main(int argc, char** argv) {
  benchmark::RegisterBenchmark("cycle", cycle);
  for (const InstructionSet* set : available()) {
    for (std::size_t i = 0; i < catalogue.size(); ++i) {
      for (const auto pass : passes) {
        add(*set, i, pass);
      }
    }
    for (const Activation gate : gates) add(*set, static_cast<std::size_t>(gate), Pass::gate);
  }
  for (const InstructionSet* set : available()) {
    for (std::size_t i = 0; i < row_catalogue.size(); ++i) add_rows(*set, i);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
