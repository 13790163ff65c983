// Kernels of dropout: one loop for every element type and instruction set.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "kernels/interface.hpp"
#include "math/philox.hpp"
#include "simd/simd.hpp"

namespace fastact::kernels {
namespace {

/// The random numbers of as many counters as W has elements. Each counter gives four consecutive numbers, which are in
/// the leading bits of the elements of the vectors V, in order. With p such vectors, each of which holds the numbers of
/// s counters, the counters are c, c + s, c + 2 s, …, c + 1, c + 1 + s, …
template <class V, class W>
[[gnu::always_inline]] inline auto in_order(std::array<W, 2> pairs) {
  if constexpr (std::is_same_v<typename V::Element, float>) {
    W::template exchange<1>(pairs[0], pairs[1]);
    return std::bit_cast<std::array<V, 2>>(pairs);
  } else {
    std::array<V, 4> words = {pairs[0].template shift_left<32>(), pairs[0], pairs[1].template shift_left<32>(),
                              pairs[1]};
    W::template exchange<1>(words[0], words[1]), W::template exchange<1>(words[2], words[3]);
    W::template exchange<2>(words[0], words[2]), W::template exchange<2>(words[1], words[3]);
    return words;
  }
}

/// Dropout of arrays of T. W is a vector of counters, and V the vector of T with the same number of bytes.
template <class Isa, class T>
class Dropout {
  using W = simd::Vec<Isa, double, 4>;  // fewer registers are fewer chains than the latency of a product asks for
  using V = simd::Vec<Isa, T, sizeof(W) / sizeof(T) / Isa::template size<T>>;
  /// The number of random numbers that one vector of counters gives.
  static constexpr std::size_t block = 4 * W::size;
  static constexpr std::size_t parts = block / V::size;
  static constexpr auto order = [] {
    std::array<double, W::size> counters = {};
    for (std::size_t i = 0; i < W::size; ++i) {
      counters[i] = std::bit_cast<double>(std::uint64_t{i / parts + i % parts * (W::size / parts)});
    }
    return counters;
  }();

  const V threshold_, scale_[2];
  const std::uint64_t seed_;
  const bool drops_all_;

  /// Computes a block of elements. The first random number of `counter` is that of its first element.
  void whole(const math::Philox<W>& random, const T* x, T* y, std::uint64_t counter, bool streaming) const {
    const auto numbers = in_order<V>(random(W::of_bits(counter).plus_bits(W::load(order.data()))));
    for (std::size_t k = 0; k < parts; ++k) {
      const V v = V::load(x + k * V::size);
      const V kept = fma(v, scale_[0], v * scale_[1]).without_bits(numbers[k].less_bits(threshold_));
      streaming ? kept.stream(y + k * V::size) : kept.store(y + k * V::size);
    }
  }

  /// Computes n elements whose counters have the upper half of `random`.
  void run(const math::Philox<W>& random, const T* x, T* y, std::size_t n, std::uint64_t first, bool streaming) const {
    std::uint64_t counter = first / 4;
    std::size_t skipped = first % 4;
    for (std::size_t i = 0, count; i < n; i += count, counter += W::size, skipped = 0) {
      count = std::min(n - i, block - skipped);
      if (count == block) {
        whole(random, x + i, y + i, counter, streaming && reinterpret_cast<std::uintptr_t>(y + i) % 64 == 0);
      } else {
        alignas(64) T part[block] = {};
        std::copy_n(x + i, count, part + skipped);
        whole(random, part, part, counter, false);
        std::copy_n(part + skipped, count, y + i);
      }
    }
  }

 public:
  explicit Dropout(const DropoutCall& call)
      : threshold_(V::of_bits(typename V::Integer{static_cast<std::uint32_t>(call.threshold) ^ 0x80000000U}
                              << (8 * sizeof(T) - 32))),
        scale_{V(call.scale[0]), V(call.scale[1])},
        seed_(call.seed),
        drops_all_(call.threshold >> 32 != 0) {}

  [[gnu::flatten]] void operator()(const T* x, T* y, std::size_t n, std::uint64_t first, bool streaming) const {
    if (drops_all_) return std::fill_n(y, n, T{0}), void();
    constexpr std::uint64_t numbers = std::uint64_t{4} << 32;  // of the counters with one upper half
    for (std::size_t i = 0; i < n;) {
      const std::uint64_t place = first + i;
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(n - i, numbers - place % numbers));
      run({seed_, static_cast<std::uint32_t>(place / numbers)}, x + i, y + i, count, place, streaming);
      i += count;
    }
    if (streaming) Isa::end_stream();
  }
};

/// The kernels of dropout, for one instruction set.
template <class Isa>
constexpr DropoutEntry dropout_kernels() {
  constexpr auto kernel = []<class T>(T) -> DropoutKernel {
    return [](const DropoutCall& call, const void* x, void* y, std::size_t n, std::uint64_t first, bool streaming) {
      const Dropout<Isa, T> drop{call};
      drop(static_cast<const T*>(x), static_cast<T*>(y), n, first, streaming);
    };
  };
  return {kernel(float{}), kernel(double{})};
}

}  // namespace
}  // namespace fastact::kernels
