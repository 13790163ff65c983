// Prints a hash of every function's results over inputs spread over all bit patterns and over the usual range, and of
// the conversions from and to half precision, for the instruction set in use: `FASTACT_ISA=avx2 bits`. What it prints
// is the same for every instruction set and processor.

#include <fastact/fastact.hpp>

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
std::uint64_t hash(const std::vector<T>& y) {
  std::uint64_t h = 14695981039346656037U;
  for (const T value : y) {
    auto bits = value == value ? std::bit_cast<Bits<T>>(value) : ~Bits<T>{0};
    for (std::size_t byte = 0; byte < sizeof(T); ++byte, bits >>= 8) h = (h ^ (bits & 0xFF)) * 1099511628211U;
  }
  return h;
}

void show(const char* name, const char* pass, const char* type, std::uint64_t h) {
  std::printf("%s%s %s %016llx\n", name, pass, type, static_cast<unsigned long long>(h));
}

template <class T, class Forward, class Backward>
void print(const char* name, const char* type, Forward forward, Backward backward) {
  static const std::vector<T> x = inputs<T>(1), g = inputs<T>(2);
  std::vector<T> y(count);
  forward(std::span<const T>(x), std::span<T>(y));
  show(name, "", type, hash(y));
  backward(std::span<const T>(x), std::span<const T>(g), std::span<T>(y));
  show(name, "_backward", type, hash(y));
}

/// Every number of the type as a float, and floats rounded to the type.
template <class S>
void print_conversions(const char* type) {
  const fastact::Conversion<S>& convert = fastact::conversion<S>();
  std::vector<S> stored;
  for (unsigned bits = 0; bits < 1U << 16; ++bits) stored.push_back({static_cast<std::uint16_t>(bits)});
  std::vector<float> y(stored.size());
  convert.widen(stored.data(), y.data(), y.size());
  show("widen", "", type, hash(y));

  y = inputs<float>(1);
  stored.resize(count);
  convert.narrow(y.data(), stored.data(), count);
  convert.widen(stored.data(), y.data(), count);
  show("narrow", "", type, hash(y));
}

}  // namespace

int main() {
#define PRINT(name, ...)                                                                       \
  {                                                                                            \
    const auto forward = [](auto x, auto y) { fastact::name(x, y); };                          \
    const auto backward = [](auto x, auto g, auto dx) { fastact::name##_backward(x, g, dx); }; \
    print<float>(#name, "float32", forward, backward);                                         \
    print<double>(#name, "float64", forward, backward);                                        \
  }
  FASTACT_ACTIVATIONS(PRINT)
  print_conversions<fastact::simd::Half>("float16");
  print_conversions<fastact::simd::Bfloat16>("bfloat16");
}
