// The operations that an instruction set must provide.
#pragma once

#include <concepts>
#include <cstddef>

#include "simd/half.hpp"
#include "simd/table.hpp"

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
  Isa::end_stream();                                               // before another thread may read streamed data
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
} && (!std::same_as<T, double> || requires(typename Isa::template Register<T> v, const float* from, float* to) {
  { Isa::load_double(from) } -> std::same_as<decltype(v)>;         // of as many floats
  Isa::store_single(to, v);                                        // as many floats
  { Isa::lower_product(v, v) } -> std::same_as<decltype(v)>;       // of the lower halves of the bit patterns, as integers
}) && (!std::same_as<T, float> || requires(typename Isa::template Register<T> v, const Eight& few, const Sixteen& more) {
  { Isa::lookup(few, v) } -> std::same_as<decltype(v)>;            // few.numbers[lowest 3 bits of v's bit pattern]
  { Isa::lookup(more, v) } -> std::same_as<decltype(v)>;           // more.numbers[lowest 4 bits]
});
// clang-format on

}  // namespace fastact::simd
