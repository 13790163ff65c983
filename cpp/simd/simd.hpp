#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <utility>

#include "simd/half.hpp"
#include "simd/table.hpp"

/// What the mathematics may ask of an instruction set.
///
/// Vec<Isa, T> is a register of T. Its arithmetic is the compiler's own operator on the register type; all else is
/// a static function of the instruction-set class, one overload an element type (see Backend). Every operation is
/// exactly rounded or exact, so that a result has the same bits on every instruction set; nothing approximate
/// belongs here.
namespace fastact::simd {

// clang-format off

/// A register of T is loaded from elements S, which T holds exactly, and stored to them, rounded to nearest even.
template <class Isa, class T, class S>
concept Stored = requires(typename Isa::template Register<T> v, const S* from, S* to, std::size_t count) {
  { Isa::load(from) } -> std::same_as<decltype(v)>;                // unaligned
  { Isa::load(from, count) } -> std::same_as<decltype(v)>;         // the first count lanes, touching no byte beyond
  Isa::store(to, v);
  Isa::store(to, v, count);
};

template <class Isa, class T>
concept Backend = Stored<Isa, T, T> &&
                  (!std::same_as<T, float> || (Stored<Isa, T, Half> && Stored<Isa, T, Bfloat16>)) &&
                  requires(typename Isa::template Register<T> v, typename Isa::template Mask<T> m, T* to) {
  { Isa::template size<T> } -> std::convertible_to<std::size_t>;  // lanes
  { Isa::broadcast(T{}) } -> std::same_as<decltype(v)>;
  Isa::stream(to, v);                                              // past the caches; to whole registers
  Isa::end_stream();                                               // before another thread may read what was streamed
  { Isa::fma(v, v, v) } -> std::same_as<decltype(v)>;              // a b + c, rounded once
  { Isa::max(v, v) } -> std::same_as<decltype(v)>;                 // the second operand where either is NaN
  { Isa::min(v, v) } -> std::same_as<decltype(v)>;                 // likewise
  { Isa::abs(v) } -> std::same_as<decltype(v)>;
  { Isa::sqrt(v) } -> std::same_as<decltype(v)>;
  { Isa::copysign(v, v) } -> std::same_as<decltype(v)>;            // magnitude of the first, sign of the second
  { Isa::template shift_left<1>(v) } -> std::same_as<decltype(v)>; // of the bit pattern
  { Isa::less(v, v) } -> std::same_as<decltype(m)>;                // false for NaN
  { Isa::less_equal(v, v) } -> std::same_as<decltype(m)>;          // false for NaN
  { Isa::equal(v, v) } -> std::same_as<decltype(m)>;               // false for NaN
  { Isa::select(m, v, v) } -> std::same_as<decltype(v)>;           // m ? first : second, lane by lane
  { Isa::all(m) } -> std::same_as<bool>;
} && (!std::same_as<T, double> || requires(typename Isa::template Register<T> v, const float* from) {
  { Isa::load_double(from) } -> std::same_as<decltype(v)>;         // of as many floats
}) && (!std::same_as<T, float> || requires(typename Isa::template Register<T> v, const float (&few)[8], const float (&table)[32]) {
  { Isa::lookup(few, v) } -> std::same_as<decltype(v)>;            // few[lowest 3 bits of v's bit pattern]
  { Isa::lookup(table, v) } -> std::same_as<decltype(v)>;          // table[lowest 5 bits of v's bit pattern]
});
// clang-format on

template <class Isa, class T, std::size_t width>
struct Squares;

/// Has the processor fetch the cache line at p, which need not be memory at all.
inline void prefetch(const void* p) {
  __builtin_prefetch(p);
  asm volatile("");  // GCC leaves out calls of a function that does no more than prefetch
}

template <class Isa, class T, std::size_t registers>
struct Mask {
  typename Isa::template Mask<T> m[registers];
  /// Whether it holds in every lane.
  friend bool all(Mask mask) {
    bool every = true;
    for (const auto& lanes : mask.m) every &= Isa::all(lanes);
    return every;
  }
};

/// Lanes with `bit` in their number trade places with lanes without, from the one register to the other.
template <class Isa, class T, std::size_t bit>
void exchange(typename Isa::template Register<T>& low, typename Isa::template Register<T>& high) {
  static constexpr auto bits = [] {
    std::array<T, Isa::template size<T>> b = {};
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = (i & bit) == 0 ? T{0} : T{1};
    return b;
  }();
  const auto is_low = Isa::equal(Isa::load(bits.data()), Isa::broadcast(T{0}));
  const auto is_high = Isa::equal(Isa::load(bits.data()), Isa::broadcast(T{1}));
  const auto a = low, b = high;
  low = Isa::select(is_high, Isa::template swap<bit>(b), a);
  high = Isa::select(is_low, Isa::template swap<bit>(a), b);
}

/// Lanes as GCC and Clang know them, of any power of two.
template <class T, std::size_t count>
struct Lanes {
  using Type [[gnu::vector_size(count * sizeof(T))]] = T;
};

/// Of several registers, so that as many independent chains of dependent operations stand side by side in the
/// instruction stream. One chain alone leaves the arithmetic units waiting: the schedulers hold too few operations to
/// look ahead to the next vector.
template <class Isa, class T, std::size_t registers = Isa::registers>
  requires Backend<Isa, T>
struct Vec {
  using Element = T;
  using Mask = simd::Mask<Isa, T, registers>;
  template <std::size_t width>
  using Squares = simd::Squares<Isa, T, width>;
  template <class U>
  using Of = Vec<Isa, U, registers>;
  using Register = typename Isa::template Register<T>;
  using InstructionSet = Isa;
  static constexpr std::size_t lanes = Isa::template size<T>;
  static constexpr std::size_t size = lanes * registers;

  Register v[registers];

  Vec() = default;
  /// Implicit, so that formulas read `1.0 + x`.
  Vec(double x) {
    each_register([&](std::size_t i) { v[i] = Isa::broadcast(static_cast<T>(x)); });
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
  /// Of each lane, the row that the lowest 5 bits of its bit pattern tell, column by column.
  std::array<Vec, Table::columns> lookup(const Table& table) const {
    std::array<Vec, Table::columns> r;
    for (std::size_t i = 0; i < registers; ++i) {
      for (std::size_t k = 0; k < Table::columns; ++k) r[k].v[i] = Isa::lookup(table.column[k], v[i]);
    }
    return r;
  }
  /// Of each lane, the number that the lowest 3 bits of its bit pattern tell.
  Vec lookup(const float (&table)[8]) const {
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
  /// Sum and difference of the bit patterns.
  Vec plus_bits(Vec other) const {
    return each([&](std::size_t i) { return std::bit_cast<Register>(pattern(v[i]) + pattern(other.v[i])); });
  }
  Vec minus_bits(Vec other) const {
    return each([&](std::size_t i) { return std::bit_cast<Register>(pattern(v[i]) - pattern(other.v[i])); });
  }
  template <int bits>
  Vec shift_left() const {
    return each([&](std::size_t i) { return Isa::template shift_left<bits>(v[i]); });
  }

 private:
  static auto pattern(Register r) {
    using Integer = std::conditional_t<sizeof(T) == sizeof(std::uint32_t), std::uint32_t, std::uint64_t>;
    return std::bit_cast<typename Lanes<Integer, lanes>::Type>(r);
  }
  /// f(0), f(1), …; not by a loop, for compilers keep an array in registers only where every index is a constant.
  template <class F>
  static void each_register(F f) {
    [&]<std::size_t... i>(std::index_sequence<i...>) { (f(i), ...); }(std::make_index_sequence<registers>{});
  }
  template <class F>
  static Vec each(F f) {
    Vec r;
    each_register([&](std::size_t i) { r.v[i] = f(i); });
    return r;
  }
  template <class F>
  static Mask compare(F f) {
    Mask r;
    each_register([&](std::size_t i) { r.m[i] = f(i); });
    return r;
  }
  /// How many of the first count elements fall into register i.
  static std::size_t part(std::size_t count, std::size_t i) {
    return count <= i * lanes ? 0 : count - i * lanes < lanes ? count - i * lanes : lanes;
  }
};

/// What a function of an element is computed in: it needs fewer registers for each of them than a function of rows,
/// with its sums.
template <class Isa, class T>
using Elements = Vec<Isa, T, Isa::elements_registers>;

/// Squares of `width` lanes beside each other, in registers of which each has one row of every square, and what turns
/// them: a bit of the row's number at a time is exchanged with the same bit of the lane's.
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
