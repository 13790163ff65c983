// Vectors of several registers of an instruction set.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <utility>

#include "simd/backend.hpp"

/// The vector operations that formulas use.
///
/// Vec<Isa, T> is a vector of T. Its arithmetic uses the compiler's operators on the register type. Every other
/// operation is a static function of the instruction-set class, with one overload for each element type (see Backend).
/// Every operation is exact or correctly rounded, so that results have the same bits on all instruction sets.
/// Approximate operations must not be added.
namespace fastact::simd {

template <class Isa, class T, std::size_t width>
struct Squares;

/// Has the processor fetch the cache line at p, which need not be a valid address.
inline void prefetch(const void* p) {
  __builtin_prefetch(p);
  asm volatile("");  // GCC removes calls of functions that only prefetch
}

template <class Isa, class T, std::size_t registers = Isa::registers>
  requires Backend<Isa, T>
struct Vec;

template <class Isa, class T, std::size_t registers>
struct Mask {
  using Vector = Vec<Isa, T, registers>;
  using Single = Mask<Isa, T, 1>;
  typename Isa::template Mask<T> m[registers];
  friend bool all(Mask mask) {
    bool every = true;
    for (const auto& lanes : mask.m) every &= Isa::all(lanes);
    return every;
  }
};

/// Lanes as GCC and Clang know them, of any power of two.
template <class T, std::size_t count>
struct Lanes {
  using Type [[gnu::vector_size(count * sizeof(T))]] = T;
};

/// Lanes with `bit` in their number trade places with lanes without, from the one register to the other.
template <class Isa, class T, std::size_t bit>
void exchange(typename Isa::template Register<T>& low, typename Isa::template Register<T>& high) {
  using Register = typename Isa::template Register<T>;
  constexpr int count = Isa::template size<T>, b = bit;
  [&]<int... i>(std::integer_sequence<int, i...>) {
    const auto x = std::bit_cast<typename Lanes<T, count>::Type>(low);
    const auto y = std::bit_cast<typename Lanes<T, count>::Type>(high);
    low = std::bit_cast<Register>(__builtin_shufflevector(x, y, ((i & b) == 0 ? i : count + i - b)...));
    high = std::bit_cast<Register>(__builtin_shufflevector(x, y, ((i & b) == 0 ? i + b : count + i)...));
  }(std::make_integer_sequence<int, count>{});
}

/// Of several registers, so that as many independent chains of dependent operations stand side by side in the
/// instruction stream. One chain alone leaves the arithmetic units waiting: the schedulers hold too few operations to
/// look ahead to the next vector.
template <class Isa, class T, std::size_t registers>
  requires Backend<Isa, T>
struct Vec {
  using Element = T;
  using Mask = simd::Mask<Isa, T, registers>;
  template <std::size_t width>
  using Squares = simd::Squares<Isa, T, width>;
  template <class U>
  using Of = Vec<Isa, U, registers>;
  template <std::size_t count>
  using OfRegisters = Vec<Isa, T, count>;
  using Single = OfRegisters<1>;
  using Register = typename Isa::template Register<T>;
  using InstructionSet = Isa;
  /// The type of bit patterns.
  using Integer = std::conditional_t<sizeof(T) == sizeof(std::uint32_t), std::uint32_t, std::uint64_t>;
  static constexpr std::size_t lanes = Isa::template size<T>;
  static constexpr std::size_t size = lanes * registers;
  static constexpr std::size_t several = std::max(registers, Isa::registers);

  Register v[registers];

  Vec() = default;
  /// Implicit, so that formulas read `1.0 + x`.
  Vec(double x) {
    each_register([&](std::size_t i) { v[i] = Isa::broadcast(static_cast<T>(x)); });
  }
  /// The number with this bit pattern, in every lane.
  static Vec of_bits(Integer pattern) {
    return each([pattern](std::size_t) { return Isa::broadcast(std::bit_cast<T>(pattern)); });
  }
  template <class S>
  static Vec load(const S* p) {
    return each([p](std::size_t i) { return Isa::load(p + i * lanes); });
  }
  template <class S>
  static Vec load(const S* p, std::size_t count) {
    return each([p, count](std::size_t i) { return Isa::load(p + i * lanes, part(count, i)); });
  }
  static Vec load_double(const float* p) {
    return each([p](std::size_t i) { return Isa::load_double(p + i * lanes); });
  }
  void store_single(float* p) const {
    each_register([&](std::size_t i) { Isa::store_single(p + i * lanes, v[i]); });
  }
  /// From addresses of its elements, address(0), address(1), …
  template <class Address>
  static Vec gather(Address address) {
    return each([address](std::size_t i) {
      Squares<1> squares;
      squares.load([address, i](std::size_t k) { return address(i * lanes + k); });
      return squares.rows[0];
    });
  }
  template <class S>
  void store(S* p) const {
    each_register([&](std::size_t i) { Isa::store(p + i * lanes, v[i]); });
  }
  template <class S>
  void store(S* p, std::size_t count) const {
    each_register([&](std::size_t i) { Isa::store(p + i * lanes, v[i], part(count, i)); });
  }

  void stream(T* p) const {
    for (std::size_t i = 0; i < registers; ++i) Isa::stream(p + i * lanes, v[i]);
  }

  friend Vec operator+(Vec a, Vec b) {
    return each([&](std::size_t i) { return a.v[i] + b.v[i]; });
  }
  friend Vec operator-(Vec a, Vec b) {
    return each([&](std::size_t i) { return a.v[i] - b.v[i]; });
  }
  friend Vec operator*(Vec a, Vec b) {
    return each([&](std::size_t i) { return a.v[i] * b.v[i]; });
  }
  friend Vec operator/(Vec a, Vec b) {
    return each([&](std::size_t i) { return a.v[i] / b.v[i]; });
  }
  friend Vec operator-(Vec a) {
    return each([&](std::size_t i) { return -a.v[i]; });
  }
  friend Mask operator<(Vec a, Vec b) {
    return compare([&](std::size_t i) { return Isa::less(a.v[i], b.v[i]); });
  }
  friend Mask operator>(Vec a, Vec b) { return b < a; }
  friend Mask operator<=(Vec a, Vec b) {
    return compare([&](std::size_t i) { return Isa::less_equal(a.v[i], b.v[i]); });
  }
  friend Mask operator>=(Vec a, Vec b) { return b <= a; }
  friend Mask operator==(Vec a, Vec b) {
    return compare([&](std::size_t i) { return Isa::equal(a.v[i], b.v[i]); });
  }

  friend Vec fma(Vec a, Vec b, Vec c) {
    return each([&](std::size_t i) { return Isa::fma(a.v[i], b.v[i], c.v[i]); });
  }
  friend Vec max(Vec bound, Vec x) {
    return each([&](std::size_t i) { return Isa::max(bound.v[i], x.v[i]); });
  }
  friend Vec min(Vec bound, Vec x) {
    return each([&](std::size_t i) { return Isa::min(bound.v[i], x.v[i]); });
  }
  /// The number with the larger bit pattern, as an unsigned integer.
  friend Vec max_bits(Vec a, Vec b) {
    return each([&](std::size_t i) {
      const auto x = pattern(a.v[i]), y = pattern(b.v[i]);
      return std::bit_cast<Register>(x > y ? x : y);
    });
  }
  friend Vec abs(Vec x) {
    return each([&](std::size_t i) { return Isa::abs(x.v[i]); });
  }
  friend Vec sqrt(Vec x) {
    return each([&](std::size_t i) { return Isa::sqrt(x.v[i]); });
  }
  friend Vec copysign(Vec magnitude, Vec sign) {
    return each([&](std::size_t i) { return Isa::copysign(magnitude.v[i], sign.v[i]); });
  }
  friend Vec select(Mask m, Vec a, Vec b) {
    return each([&](std::size_t i) { return Isa::select(m.m[i], a.v[i], b.v[i]); });
  }
  /// For each lane, the number whose index is in the lowest 3 or 4 bits of its bit pattern.
  template <class Table>
  Vec lookup(const Table& table) const {
    return each([&](std::size_t i) { return Isa::lookup(table, v[i]); });
  }
  /// 0, 1, 2, …
  static Vec indices() {
    static constexpr auto numbers = [] {
      std::array<T, size> i = {};
      std::iota(i.begin(), i.end(), T{0});
      return i;
    }();
    return load(numbers.data());
  }
  /// Lanes with `distance` in their number trade places with lanes without, from the one vector to the other.
  template <std::size_t distance>
  static void exchange(Vec& low, Vec& high) {
    each_register([&](std::size_t i) {
      if constexpr (distance < lanes) {
        simd::exchange<Isa, T, distance>(low.v[i], high.v[i]);
      } else if ((i & (distance / lanes)) != 0) {
        std::swap(low.v[i], high.v[i ^ (distance / lanes)]);
      }
    });
  }
  /// The sum and the difference of the bit patterns, as integers.
  Vec plus_bits(Vec other) const {
    return each([&](std::size_t i) { return std::bit_cast<Register>(pattern(v[i]) + pattern(other.v[i])); });
  }
  Vec minus_bits(Vec other) const {
    return each([&](std::size_t i) { return std::bit_cast<Register>(pattern(v[i]) - pattern(other.v[i])); });
  }
  /// The product of the lower halves of the bit patterns, as unsigned integers.
  friend Vec lower_product(Vec a, Vec b) {
    return each([&](std::size_t i) { return Isa::lower_product(a.v[i], b.v[i]); });
  }
  /// All bits set in the lanes whose bit pattern is the smaller one, as a signed integer.
  Vec less_bits(Vec other) const {
    return each(
        [&](std::size_t i) { return std::bit_cast<Register>(signed_pattern(v[i]) < signed_pattern(other.v[i])); });
  }
  /// Bitwise operations on the bit patterns: and, exclusive or, and the and with the complement of the other pattern.
  Vec and_bits(Vec other) const {
    return each([&](std::size_t i) { return std::bit_cast<Register>(pattern(v[i]) & pattern(other.v[i])); });
  }
  Vec xor_bits(Vec other) const {
    return each([&](std::size_t i) { return std::bit_cast<Register>(pattern(v[i]) ^ pattern(other.v[i])); });
  }
  Vec without_bits(Vec other) const {
    return each([&](std::size_t i) { return std::bit_cast<Register>(pattern(v[i]) & ~pattern(other.v[i])); });
  }
  /// The lower and the upper half of each 64-bit pattern trade places.
  Vec swap_halves() const {
    return each([&](std::size_t i) {
      using Halves = Lanes<float, 2 * lanes>::Type;
      return [x = std::bit_cast<Halves>(v[i])]<int... k>(std::integer_sequence<int, k...>) {
        return std::bit_cast<Register>(__builtin_shufflevector(x, x, (k ^ 1)...));
      }(std::make_integer_sequence<int, 2 * lanes>{});
    });
  }
  /// All bits set in the lanes whose sign bit is set.
  Vec sign_mask() const {
    return each([&](std::size_t i) { return std::bit_cast<Register>(signed_pattern(v[i]) >> (8 * sizeof(T) - 1)); });
  }
  /// The bit pattern shifted right, with zeros shifted in.
  template <int bits>
  Vec shift_right() const {
    return each([&](std::size_t i) { return std::bit_cast<Register>(pattern(v[i]) >> bits); });
  }
  template <int bits>
  Vec shift_left() const {
    return each([&](std::size_t i) { return Isa::template shift_left<bits>(v[i]); });
  }

 private:
  static auto pattern(Register r) { return std::bit_cast<typename Lanes<Integer, lanes>::Type>(r); }
  static auto signed_pattern(Register r) {
    using Signed = std::conditional_t<sizeof(T) == sizeof(std::int32_t), std::int32_t, std::int64_t>;
    return std::bit_cast<typename Lanes<Signed, lanes>::Type>(r);
  }
  /// Calls f(0), f(1), … without a loop, because compilers keep an array in registers only if all indices are
  /// constants.
  template <class F, std::size_t... i>
  static void each_register(F f, std::index_sequence<i...>) {
    (f(i), ...);
  }
  template <class F>
  static void each_register(F f) {
    each_register(f, std::make_index_sequence<registers>{});
  }
  template <class F, std::size_t... i>
  static Vec each(F f, std::index_sequence<i...>) {
    Vec r;
    ((r.v[i] = f(i)), ...);
    return r;
  }
  template <class F>
  static Vec each(F f) {
    return each(f, std::make_index_sequence<registers>{});
  }
  template <class F, std::size_t... i>
  static Mask compare(F f, std::index_sequence<i...>) {
    Mask r;
    ((r.m[i] = f(i)), ...);
    return r;
  }
  template <class F>
  static Mask compare(F f) {
    return compare(f, std::make_index_sequence<registers>{});
  }
  /// The number of the first `count` elements that belong to register i.
  static std::size_t part(std::size_t count, std::size_t i) {
    return count <= i * lanes ? 0 : count - i * lanes < lanes ? count - i * lanes : lanes;
  }
};

/// Squares of `width` lanes that lie side by side; each register holds one row of every square. They are transposed by
/// exchanging one bit of the row's number after another with the same bit of the lane's number.
template <class Isa, class T, std::size_t width>
struct Squares {
  static constexpr std::size_t lanes = Isa::template size<T>;
  using Register = typename Isa::template Register<T>;
  Register rows[width];

  template <std::size_t bit = width / 2>
  void transpose() {
    if constexpr (bit > 0) {
      [&]<std::size_t... i>(std::index_sequence<i...>) {
        (exchange<Isa, T, bit>(rows[i / bit * 2 * bit + i % bit], rows[i / bit * 2 * bit + i % bit + bit]), ...);
      }(std::make_index_sequence<width / 2>{});
      transpose<bit / 2>();
    }
  }

  /// Row i of the squares, one after another, is at address(i); of `count` rows.
  template <class Address>
  void load(Address address) {
    [&]<std::size_t... k>(std::index_sequence<k...>) {
      ((rows[k] = std::bit_cast<Register>(joined<lanes>(k, address))), ...);
    }(std::make_index_sequence<width>{});
  }
  template <class Count, class Address>
  void store(Count count, Address address) const {
    [&]<std::size_t... k>(std::index_sequence<k...>) {
      (split(std::bit_cast<typename Lanes<T, lanes>::Type>(rows[k]),
             [&](std::size_t q, auto part) {
               if (q + k < count) std::memcpy(address(q + k), &part, sizeof part);
             }),
       ...);
    }(std::make_index_sequence<width>{});
  }

 private:
  template <std::size_t count, class Address>
  static auto joined(std::size_t row, Address address) {
    typename Lanes<T, count>::Type v;
    if constexpr (count == width) {
      std::memcpy(&v, address(row), sizeof v);
    } else {
      const auto low = joined<count / 2>(row, address), high = joined<count / 2>(row + count / 2, address);
      v = [&]<int... i>(std::integer_sequence<int, i...>) {
        return __builtin_shufflevector(low, high, i...);
      }(std::make_integer_sequence<int, count>{});
    }
    return v;
  }
  /// take(first lane, lanes) for each row of a register.
  template <std::size_t first = 0, class Part, class Take>
  static void split(Part v, Take take) {
    constexpr std::size_t half = sizeof v / sizeof(T) / 2;
    if constexpr (sizeof v == width * sizeof(T)) {
      take(first, v);
    } else {
      [&]<int... i>(std::integer_sequence<int, i...>) {
        split<first>(__builtin_shufflevector(v, v, i...), take);
        split<first + half>(__builtin_shufflevector(v, v, (i + int{half})...), take);
      }(std::make_integer_sequence<int, half>{});
    }
  }
};

}  // namespace fastact::simd
