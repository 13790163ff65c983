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

template <class T, class Forward, class Backward>
void print(const char* name, const char* type, Forward forward, Backward backward) {
  static const std::vector<T> x = inputs<T>(1), g = inputs<T>(2);
  std::vector<T> y(count);
  const auto show = [&](const char* pass) {
    std::printf("%s%s %s %016llx\n", name, pass, type, static_cast<unsigned long long>(hash(y)));
  };
  forward(std::span<const T>(x), std::span<T>(y));
  show("");
  backward(std::span<const T>(x), std::span<const T>(g), std::span<T>(y));
  show("_backward");
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
}
