// Vectors of what a row function sums or keeps, a few of them together.
#pragma once

#include <array>
#include <bit>
#include <cstddef>

#include "kernels/rows/road.hpp"
#include "simd/simd.hpp"

namespace fastact::kernels {
namespace {

/// A vector with one lane for each chain or, without SIMD instructions, one lane.
template <class Isa, class T>
using RowVector = simd::Vec<Isa, T, Isa::template size<T> == 1 ? 1 : chains<T> / Isa::template size<T>>;

/// The vector for short rows. Its operations wait for one another, so that further registers of rows cost little.
template <class V, std::size_t registers = V::several>
using Wide = typename V::template OfRegisters<registers>;

/// Returns the vectors of a struct that consists of nothing else.
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
/// Joins the sums of two chains of a row no longer than a block, which some sums do in fewer steps.
template <class Sums>
using JoinInBlock = Join<requires(Sums s) { join_in_block(s, s); }>;

/// The larger elements of two vectors, as the function `larger` compares them.
template <auto larger>
struct Larger {
  template <class V>
  V operator()(V a, V b) const {
    return larger(a, b);
  }
};

/// Joins the lanes of each x: the upper half is joined to the lower half until one lane is left, which becomes lane i
/// of the result for x[i]. There are as many x as lanes, or only one.
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

/// Joins vectors in the same order as fold_lanes joins lanes. Vector i holds the sums of chain i, one lane for each row
/// of a group; `groups` groups of rows lie side by side. Only the first `used` chains are joined, into the first one.
template <class Join, class X>
void fold_vectors(Join join, X* x, std::size_t used, std::size_t groups) {
  for (std::size_t half = std::bit_ceil(used) / 2; half > 0; used = half, half /= 2) {
    const std::size_t apart = half * groups;
    for (std::size_t i = apart; i < used * groups; ++i) x[i - apart] = join(x[i - apart], x[i]);
  }
}

/// Joins the sums of vectors along rows or across them. It is out of line, so that functions with the same sums share
/// it.
template <class V, class Join, class X>
[[gnu::noinline, gnu::flatten]] void fold(Join join, X* x, std::size_t used, std::size_t rows, bool across) {
  if (V::size == 1 || across) {
    fold_vectors(join, x, used, (rows + V::size - 1) / V::size);
  } else {
    x[0] = rows == 1 ? fold_lanes<V, 1>(join, x) : fold_lanes<V>(join, x);
  }
}

/// Vectors that hold one lane for each row, from which the lane of one row is copied to all lanes.
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
