// Prints a hash of every function's results over inputs spread over all bit patterns and over the usual range, for the
// instruction set in use: `FASTACT_ISA=avx2 bits`. What it prints is the same for every instruction set and processor.

#include <fastact/fastact.hpp>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <type_traits>
#include <vector>

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

template <class T>
const std::vector<T> x = inputs<T>(1);
template <class T>
const std::vector<T> g = inputs<T>(2);

template <class T, class Function>
void print(const char* name, const char* type, Function function) {
  std::vector<T> y(count);
  function(std::span(x<T>), std::span(g<T>), std::span(y));
  std::printf("%s %s %016llx\n", name, type, static_cast<unsigned long long>(hash(y)));
}

}  // namespace

int main() {
#define PRINT(name, ...)                                                                             \
  {                                                                                                  \
    const auto forward = [](auto in, auto, auto out) { fastact::name(in, out); };                    \
    const auto backward = [](auto in, auto up, auto out) { fastact::name##_backward(in, up, out); }; \
    print<float>(#name, "float32", forward);                                                         \
    print<float>(#name "_backward", "float32", backward);                                            \
    print<double>(#name, "float64", forward);                                                        \
    print<double>(#name "_backward", "float64", backward);                                           \
  }
#define PRINT_LEARNABLE(name, ...)                                                     \
  {                                                                                    \
    const auto forward = [](auto in, auto, auto out) { fastact::name(in, out, 0.3); }; \
    print<float>(#name, "float32", forward);                                           \
    print<double>(#name, "float64", forward);                                          \
  }
  FASTACT_ACTIVATIONS(PRINT)
  FASTACT_LEARNABLE(PRINT_LEARNABLE)
}
