// The emulated multiply-add against the C library's, which is exact, on random operands of every kind: numbers of any
// bits, sums that cancel, ties, and results beside the subnormal ones. `fma
// [millions of float]`; exits with 1 if any differs.

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "simd/fused.hpp"

namespace {

std::uint64_t state = 1;

std::uint64_t random_bits() {  // splitmix64
  std::uint64_t z = state += 0x9E3779B97F4A7C15U;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
  z = (z ^ z >> 27) * 0x94D049BB133111EBU;
  return z ^ z >> 31;
}

template <class T>
T any_number() {
  if constexpr (sizeof(T) == 4)
    return std::bit_cast<float>(static_cast<std::uint32_t>(random_bits()));
  else
    return std::bit_cast<double>(random_bits());
}

/// A number of few bits, so that products and sums of such are often exact, ties, or zero.
template <class T>
T simple_number(int exponents) {
  const std::uint64_t bits = random_bits();
  const T integer = static_cast<T>(static_cast<int>(bits & 0x3FFF) - 0x2000);
  return std::ldexp(integer, static_cast<int>(bits >> 32) % exponents);
}

/// Its significand, in [1, 2).
template <class T>
T significand(T x) {
  return std::isfinite(x) && x != 0 ? std::ldexp(x, -std::ilogb(x)) : T(1.5);
}

template <class T>
bool same(T a, T b) {
  return (a != a && b != b) || (a == b && std::signbit(a) == std::signbit(b));
}

template <class T>
int differing(long count, const char* type) {
  constexpr int digits = std::numeric_limits<T>::digits;
  int wrong = 0;
  for (long i = 0; i < count; ++i) {
    T a = any_number<T>(), b = any_number<T>(), c = any_number<T>();
    switch (i % 8) {
      case 0:
        break;
      case 1:  // the product cancels against c
        c = std::nextafter(-(a * b), static_cast<T>(i % 3 - 1) * std::numeric_limits<T>::infinity());
        break;
      case 2:  // c is beside half a unit of the product's last place
        c = std::ldexp(a * b, -digits + static_cast<int>(random_bits() % 3) - 1);
        break;
      case 3:  // the product is beside half a unit of c's last place
        c = std::ldexp(a * b, digits + static_cast<int>(random_bits() % 3) - 1);
        break;
      case 4:  // the product underflows
        b = std::ldexp(T(1) / a, std::numeric_limits<T>::min_exponent - static_cast<int>(random_bits() % 60));
        c = std::ldexp(significand(c), std::numeric_limits<T>::min_exponent - static_cast<int>(random_bits() % 60));
        break;
      case 5:
        a = simple_number<T>(40), b = simple_number<T>(40), c = simple_number<T>(60);
        break;
      case 6:  // subnormal operands and results, ties among them
        a = simple_number<T>(30);
        b = std::ldexp(simple_number<T>(30), std::numeric_limits<T>::min_exponent - digits - 30);
        c = std::ldexp(simple_number<T>(30), std::numeric_limits<T>::min_exponent - digits - 15);
        break;
      default:  // of one size, as in the library's polynomials
        a = significand(a), b = significand(b);
        c = std::ldexp(significand(c), static_cast<int>(random_bits() % 16) - 8);
        break;
    }
    const T expected = std::fma(a, b, c), got = fastact::simd::fused(a, b, c);
    if (!same(expected, got) && wrong++ < 10) {
      std::printf("%s: %a * %a + %a is %a, not %a\n", type, double(a), double(b), double(c), double(expected),
                  double(got));
    }
  }
  std::printf("%s: %ld triples, %d differ\n", type, count, wrong);
  return wrong;
}

}  // namespace

int main(int argc, char** argv) {
  const long millions = argc > 1 ? std::atol(argv[1]) : 100;
  const int wrong = differing<float>(millions * 1'000'000, "float") + differing<double>(millions * 200'000, "double");
  return wrong == 0 ? 0 : 1;
}
