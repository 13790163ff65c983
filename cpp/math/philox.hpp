// Random numbers that are a function of their place in a stream.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace fastact::math {

/// The words of Philox 4x32-10 for one key and counters whose upper halves are equal: element i of the results has the
/// words 0 and 1, or 2 and 3, of counter i in its lower and upper half. The leading bit of each word is inverted, so
/// that signed comparisons order them. Element i of `counter` is the lower 64 bits of a 128-bit counter whose upper
/// bits are 0. Valid range: every counter and key. Exact. Source: Salmon, Moraes, Dror and Shaw, "Parallel random
/// numbers: as easy as 1, 2, 3", 2011, section 3.3.
///
/// A round maps the words to (hi(M1 x2) ^ x1 ^ k0, lo(M1 x2), hi(M0 x0) ^ x3 ^ k1, lo(M0 x0)), and the key advances by
/// Weyl's constants. Since a product takes the lower halves of its factors alone, the words need not be cut out of it.
/// The first round gives all counters the same x0 and therefore the second round the same x3 and the same hi(M0 x0);
/// both are combined with the keys in advance.
template <class V>
class Philox {
  static constexpr std::size_t rounds = 10;
  static constexpr std::uint64_t multipliers[] = {0xD2511F53U, 0xCD9E8D57U};
  std::array<std::array<V, 2>, rounds> keys_;

  static V upper(V product) { return product.template shift_right<32>(); }

 public:
  Philox(std::uint64_t key, std::uint32_t upper_half) {
    constexpr std::uint64_t inverted = 0x8000000080000000U;
    const std::uint64_t shared = multipliers[0] * (upper_half ^ (key & 0xFFFFFFFFU));
    // Not by additions in turn, which GCC 12 vectorizes to other sums.
    for (std::uint32_t i = 0; i < rounds; ++i) {
      const std::uint32_t first = static_cast<std::uint32_t>(key) + i * 0x9E3779B9U;
      const std::uint32_t second = static_cast<std::uint32_t>(key >> 32) + i * 0xBB67AE85U;
      const std::uint64_t same = i == 1 ? shared >> 32 : i == 2 ? shared & 0xFFFFFFFFU : 0;
      const std::uint64_t sign = i + 1 == rounds ? inverted : 0;
      keys_[i] = {V::of_bits(first ^ sign), V::of_bits(second ^ same ^ sign)};
    }
  }
  std::array<V, 2> operator()(V counter) const {
    const V m0 = V::of_bits(multipliers[0]), m1 = V::of_bits(multipliers[1]);
    V p0 = lower_product(m0, counter), p1 = lower_product(m1, upper(p0).xor_bits(keys_[0][1]));
    std::array<V, 4> x = {upper(p1).xor_bits(keys_[1][0]), p1, p0.xor_bits(keys_[1][1]), V::of_bits(0)};
    for (std::size_t i = 2; i < rounds - 1; ++i) {
      p0 = lower_product(m0, x[0]), p1 = lower_product(m1, x[2]);
      x = {upper(p1).xor_bits(x[1]).xor_bits(keys_[i][0]), p1, upper(p0).xor_bits(x[3]).xor_bits(keys_[i][1]), p0};
    }
    const V lower = V::of_bits(0xFFFFFFFFU);
    const auto words = [&](V product, V word, V key) {
      return product.swap_halves().xor_bits(word.and_bits(lower)).xor_bits(key);
    };
    return {words(lower_product(m1, x[2]), x[1], keys_[rounds - 1][0]),
            words(lower_product(m0, x[0]), x[3], keys_[rounds - 1][1])};
  }
};

}  // namespace fastact::math
