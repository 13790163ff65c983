// Contiguous bfloat16 numbers as two registers of floats.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "simd/half.hpp"
#include "simd/simd.hpp"

namespace fastact::simd {

/// The bfloat16 numbers that a register holds, as floats: those in even places in one register of V, those in odd
/// places in the other. A shift or a mask widens them there, where neighbours would have to be unpacked and packed.
template <class V>
struct Interleaved {
  using InstructionSet = V::InstructionSet;
  static constexpr std::size_t size = V::size, lanes = size;
  static_assert(size == 2 * V::lanes);

  V v;

  static V load(const Bfloat16* p) {
    Words words;
    std::memcpy(&words, p, sizeof words);
    return of(words << 16, words & upper);
  }
  static V load(const Bfloat16* p, std::size_t count) {
    Bfloat16 buffer[size] = {};
    std::memcpy(buffer, p, count * sizeof *p);
    return load(buffer);
  }
  /// Floats in the same order.
  static V load(const float* p) {
    const V v = V::load(p);
    return [low = words(v.v[0]), high = words(v.v[1])]<int... i>(std::integer_sequence<int, i...>) {
      return rounding(
          of(__builtin_shufflevector(low, high, (2 * i)...), __builtin_shufflevector(low, high, (2 * i + 1)...)));
    }(std::make_integer_sequence<int, V::lanes>{});
  }
  static V load(const float* p, std::size_t count) {
    float buffer[size] = {};
    std::memcpy(buffer, p, count * sizeof *p);
    return load(buffer);
  }
  /// v, but where it is NaN with zeros in the lower half, which no rounding changes.
  static V rounding(V v) {
    const auto bounded = [](Words w) { return (w & magnitude) > infinity ? (w & upper) | quiet : w; };
    return of(bounded(words(v.v[0])), bounded(words(v.v[1])));
  }
  /// Rounded to nearest even. The lower half of a NaN must be zero, as it is in bfloat16 numbers and in what is
  /// computed from them.
  void store(Bfloat16* p) const {
    const auto rounded = [](Words w) { return w + ((w >> 16 & 1U) + 0x7FFFU); };
    const auto halves = std::bit_cast<Halves>(rounded(words(v.v[0])) >> 16 | (rounded(words(v.v[1])) & upper));
    // A signalling NaN becomes a quiet one, as it does in other conversions.
    const Halves result = halves | (((halves & 0x7FFF) > 0x7F80) & 0x40);
    std::memcpy(p, &result, sizeof result);
  }
  void store(Bfloat16* p, std::size_t count) const {
    Bfloat16 buffer[size];
    store(buffer);
    std::memcpy(p, buffer, count * sizeof *p);
  }

 private:
  using Words = Lanes<std::uint32_t, V::lanes>::Type;
  using Halves = Lanes<std::int16_t, size>::Type;
  static constexpr std::uint32_t upper = 0xFFFF0000U, magnitude = 0x7FFFFFFFU, infinity = 0x7F800000U,
                                 quiet = 0x400000U;

  static Words words(typename V::Register r) { return std::bit_cast<Words>(r); }
  static V of(Words even, Words odd) {
    V v;
    v.v[0] = std::bit_cast<typename V::Register>(even);
    v.v[1] = std::bit_cast<typename V::Register>(odd);
    return v;
  }
};

/// The type that loads vectors V from arrays of S and stores them there.
template <class V, class S>
using Memory = std::conditional_t<std::is_same_v<S, Bfloat16> && V::size == 2 * V::lanes, Interleaved<V>, V>;

}  // namespace fastact::simd
