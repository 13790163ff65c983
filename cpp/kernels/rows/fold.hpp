// Vectors of what a row function sums or keeps, a few of them together.
#pragma once

#include <array>
#include <bit>
#include <cstddef>

#include "kernels/rows/road.hpp"
#include "simd/simd.hpp"

namespace fastact::kernels {
namespace {

/// A lane for each chain; without SIMD instructions, one lane.
template <class Isa, class T>
using RowVector = simd::Vec<Isa, T, Isa::template size<T> == 1 ? 1 : chains<T> / Isa::template size<T>>;

/// For short rows, whose operations wait for each other: a second register of rows costs little.
template <class V, std::size_t registers = V::several>
using Wide = typename V::template OfRegisters<registers>;

/// Of a struct that consists of vectors, the vectors.
template <class V, class X>
auto vectors(const X& x) {
  return std::bit_cast<std::array<V, sizeof(X) / sizeof(V)>>(x);
}

/// Joins the sums of two chains.
template <bool in_block>
struct Join {
  template <class Sums>
  Sums operator()(Sums a, Sums b) const {
    if constexpr (in_block) {
      return join_in_block(a, b);
    } else {
      return join_chains(a, b);
    }
  }
};
/// The same of rows no longer than a block, which some sums join faster.
template <class Sums>
using JoinInBlock = Join<requires(Sums s) { join_in_block(s, s); }>;

/// The larger ones of two vectors, by a function's comparison.
template <auto larger>
struct Larger {
  template <class V>
  V operator()(V a, V b) const {
    return larger(a, b);
  }
};

/// Joins the lanes of each x, the upper half onto the lower until one is left, which is lane i of the result for x[i].
/// There are as many x as lanes, or one.
template <class V, std::size_t count = V::size, std::size_t distance = V::size / 2, class Join, class X>
X fold_lanes(Join join, const X* x) {
  if constexpr (distance == 0) {
    return x[0];
  } else {
    std::array<X, (count + 1) / 2> halves;
    for (std::size_t i = 0; i < halves.size(); ++i) {
      auto low = vectors<V>(x[i]), high = vectors<V>(x[i + count / 2]);
      for (std::size_t k = 0; k < low.size(); ++k) V::template exchange<distance>(low[k], high[k]);
      halves[i] = join(std::bit_cast<X>(low), std::bit_cast<X>(high));
    }
    return fold_lanes<V, (count + 1) / 2, distance / 2>(join, halves.data());
  }
}

/// The same of `used` lanes that are vectors, each with a lane of several rows, for `groups` of rows side by side. The
/// results take the place of the first lane.
template <class Join, class X>
void fold_vectors(Join join, X* x, std::size_t used, std::size_t groups) {
  for (std::size_t half = std::bit_ceil(used) / 2; half > 0; used = half, half /= 2) {
    const std::size_t apart = half * groups;
    for (std::size_t i = apart; i < used * groups; ++i) x[i - apart] = join(x[i - apart], x[i]);
  }
}

/// Joins what vectors across rows or along them hold, out of line: functions with the same sums share it.
template <class V, class Join, class X>
[[gnu::noinline, gnu::flatten]] void fold(Join join, X* x, std::size_t used, std::size_t rows, bool across) {
  if (V::size == 1 || across) {
    fold_vectors(join, x, used, (rows + V::size - 1) / V::size);
  } else {
    x[0] = rows == 1 ? fold_lanes<V, 1>(join, x) : fold_lanes<V>(join, x);
  }
}

/// What there is of each row, one to a lane, from which that of one row is taken for every lane.
template <class V, class X>
class OfRows {
  static constexpr std::size_t count = std::is_empty_v<X> ? 0 : sizeof(X) / sizeof(V);
  alignas(64) typename V::Element lane_[count + 1][V::size];

 public:
  explicit OfRows(const X& x) {
    if constexpr (count > 0) {
      const auto all = vectors<V>(x);
      for (std::size_t k = 0; k < count; ++k) all[k].store(lane_[k]);
    }
  }
  X operator[](std::size_t row) const {
    if constexpr (count == 0) {
      return {};
    } else {
      std::array<V, count> all;
      for (std::size_t k = 0; k < count; ++k) all[k] = V(lane_[k][row]);
      return std::bit_cast<X>(all);
    }
  }
};

}  // namespace
}  // namespace fastact::kernels
