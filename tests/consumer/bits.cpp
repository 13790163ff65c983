// Prints a hash of every function's results over inputs spread over all bit patterns and over the usual range, and of
// the conversions from and to half precision, for the instruction set in use: `FASTACT_ISA=avx2 bits`. What it prints
// is the same for every instruction set and processor.

#include <fastact/fastact.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <type_traits>
#include <vector>

#include "runtime/dispatch.hpp"

namespace {

constexpr std::size_t count = 1 << 21;

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// Every other one is any number at all, the rest lie in [-16, 16].
template <class T>
std::vector<T> inputs(std::uint64_t state) {
  std::vector<T> x(count);
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;  // Knuth, MMIX
    x[i] = i % 2 == 0 ? std::bit_cast<T>(static_cast<Bits<T>>(state >> (64 - 8 * sizeof(T))))
                      : T(32) * (T(state >> 40) / T(1 << 24)) - T(16);
  }
  return x;
}

/// FNV-1a. All NaNs count as one: which NaN an operation gives is each processor's own affair.
template <class T>
std::uint64_t hash(const std::vector<T>& y, std::uint64_t h = 14695981039346656037U) {
  for (const T value : y) {
    auto bits = value == value ? std::bit_cast<Bits<T>>(value) : ~Bits<T>{0};
    for (std::size_t byte = 0; byte < sizeof(T); ++byte, bits >>= 8) h = (h ^ (bits & 0xFF)) * 1099511628211U;
  }
  return h;
}

void show(const char* name, const char* type, std::uint64_t h) {
  std::printf("%s %s %016llx\n", name, type, static_cast<unsigned long long>(h));
}

template <class T>
constexpr const char* type_name = sizeof(T) == 4 ? "float32" : "float64";
template <class T>
const std::vector<T> x = inputs<T>(1);
template <class T>
const std::vector<T> g = inputs<T>(2);

template <class T, class Function>
void print(const char* name, Function function) {
  std::vector<T> y(count);
  function(std::span(x<T>), std::span(g<T>), std::span(y));
  show(name, type_name<T>, hash(y));
}

/// Short, middling and long rows, and rows side by side.
constexpr fastact::Axis axes[] = {{8}, {64}, {128}, {32, 64}, {1 << 16}};

/// function(x, g, labels, axis) for each axis, on inputs in [-16, 16]; it returns what it has computed.
template <class T, class Function>
void print_rows(const char* name, Function function) {
  std::vector<T> row_x, row_g;
  for (std::size_t i = 1; row_x.size() < 1 << 17; i += 2) {
    row_x.push_back(x<T>[i]);
    row_g.push_back(g<T>[i]);
  }
  std::uint64_t h = hash(std::vector<T>{});
  for (const fastact::Axis axis : axes) {
    std::vector<std::int64_t> labels(row_x.size() / axis.length);
    for (std::size_t r = 0; r < labels.size(); ++r) labels[r] = static_cast<std::int64_t>(r % axis.length);
    for (const auto& y :
         function(std::span<const T>(row_x), std::span<const T>(row_g), std::span<const std::int64_t>(labels), axis)) {
      h = hash(y, h);
    }
  }
  show(name, type_name<T>, h);
}

/// Every number of the type as a float, and floats rounded to the type.
template <class S>
void print_conversions(const char* type) {
  const fastact::Conversion<S>& convert = fastact::conversion<S>();
  std::vector<S> stored;
  for (unsigned bits = 0; bits < 1U << 16; ++bits) stored.push_back({static_cast<std::uint16_t>(bits)});
  std::vector<float> y(stored.size());
  convert.widen(stored.data(), y.data(), y.size());
  show("widen", type, hash(y));

  stored.resize(count);
  y.resize(count);
  convert.narrow(x<float>.data(), stored.data(), count);
  convert.widen(stored.data(), y.data(), count);
  show("narrow", type, hash(y));
}

}  // namespace

int main() {
#define PRINT(name, ...)                                                                             \
  {                                                                                                  \
    const auto forward = [](auto in, auto, auto out) { fastact::name(in, out); };                    \
    const auto backward = [](auto in, auto up, auto out) { fastact::name##_backward(in, up, out); }; \
    print<float>(#name, forward);                                                                    \
    print<float>(#name "_backward", backward);                                                       \
    print<double>(#name, forward);                                                                   \
    print<double>(#name "_backward", backward);                                                      \
  }
#define PRINT_LEARNABLE(name, ...)                                                     \
  {                                                                                    \
    const auto forward = [](auto in, auto, auto out) { fastact::name(in, out, 0.3); }; \
    print<float>(#name, forward);                                                      \
    print<double>(#name, forward);                                                     \
  }
#define CALL_MAP(name, T)      \
  std::vector<T> y(in.size()); \
  fastact::name(in, y, axis);  \
  return std::array{y};
#define CALL_MAP_BACKWARD(name, T) \
  std::vector<T> y(in.size());     \
  fastact::name(in, up, y, axis);  \
  return std::array{y};
#define CALL_REDUCE(name, T)       \
  std::vector<T> y(labels.size()); \
  fastact::name(in, y, axis);      \
  return std::array{y};
#define CALL_REDUCE_BACKWARD(name, T)                  \
  std::vector<T> y(in.size());                         \
  fastact::name(in, up.first(labels.size()), y, axis); \
  return std::array{y};
#define CALL_GATE(name, T)         \
  std::vector<T> y(in.size() / 2); \
  fastact::name(in, y, axis);      \
  return std::array{y};
#define CALL_GATE_BACKWARD(name, T)                    \
  std::vector<T> y(in.size());                         \
  fastact::name(in, up.first(in.size() / 2), y, axis); \
  return std::array{y};
#define CALL_LABEL(name, T)           \
  std::vector<T> y(labels.size());    \
  fastact::name(in, labels, y, axis); \
  return std::array{y};
#define CALL_LABEL_BACKWARD(name, T)                           \
  std::vector<T> y(in.size());                                 \
  fastact::name(in, labels, up.first(labels.size()), y, axis); \
  return std::array{y};
#define CALL_LEARN(name, T)                                        \
  std::vector<T> y(in.size()), dp(axis.length);                    \
  fastact::name(in, up, up.first(axis.length), y, dp, axis.inner); \
  return std::array{y, dp};
#define PRINT_ROWS_OF(form, name, T)                                                                        \
  print_rows<T>(#name, []([[maybe_unused]] auto in, [[maybe_unused]] auto up, [[maybe_unused]] auto labels, \
                          fastact::Axis axis) { CALL_##form(name, T) });
#define PRINT_ROWS(form, name) PRINT_ROWS_OF(form, name, float) PRINT_ROWS_OF(form, name, double)
  FASTACT_ACTIVATIONS(PRINT)
  FASTACT_LEARNABLE(PRINT_LEARNABLE)
  FASTACT_ROWWISE(PRINT_ROWS)
  print_conversions<fastact::simd::Half>("float16");
  print_conversions<fastact::simd::Bfloat16>("bfloat16");
}
