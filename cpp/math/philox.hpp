// Random numbers that are a function of their place in a stream.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace fastact::math {

/// The words of Philox 4x32-10 for counters and one key, in the lower halves of the results' 64-bit elements; the upper
/// halves hold anything. Element i of `counter` is the lower 64 bits of a 128-bit counter whose upper bits are 0. Valid
/// range: every counter and key. Exact. Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1,
/// 2, 3", 2011, section 3.3.
///
/// A round maps the words to (hi(M1 x2) ^ x1 ^ k0, lo(M1 x2), hi(M0 x0) ^ x3 ^ k1, lo(M0 x0)), and the key advances by
/// Weyl's constants. Since a product takes the lower halves of its factors alone, the words need not be cut out of it.
template <class V>
class Philox {
  static constexpr std::size_t rounds = 10;
  std::array<std::array<V, 2>, rounds> keys_;

 public:
  explicit Philox(std::uint64_t key) {
    // Not by additions in turn, which GCC 12 vectorizes to other sums.
    for (std::uint32_t i = 0; i < rounds; ++i) {
      keys_[i] = {V::of_bits(static_cast<std::uint32_t>(key) + i * 0x9E3779B9U),
                  V::of_bits(static_cast<std::uint32_t>(key >> 32) + i * 0xBB67AE85U)};
    }
  }
  std::array<V, 4> operator()(V counter) const {
    const V m0 = V::of_bits(0xD2511F53U), m1 = V::of_bits(0xCD9E8D57U);
    const V first = lower_product(m0, counter);  // in the first round x2 = x3 = 0
    std::array<V, 4> x = {counter.template shift_right<32>().xor_bits(keys_[0][0]), V::of_bits(0),
                          first.template shift_right<32>().xor_bits(keys_[0][1]), first};
    for (std::size_t i = 1; i < rounds; ++i) {
      const V p0 = lower_product(m0, x[0]), p1 = lower_product(m1, x[2]);
      x = {p1.template shift_right<32>().xor_bits(x[1]).xor_bits(keys_[i][0]), p1,
           p0.template shift_right<32>().xor_bits(x[3]).xor_bits(keys_[i][1]), p0};
    }
    return x;
  }
};

}  // namespace fastact::math
