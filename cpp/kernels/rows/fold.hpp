// Vectors of what a row function sums or keeps, a few of them together.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

#include "simd/simd.hpp"

namespace fastact::kernels {
namespace {

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
template <class V, std::size_t distance = V::size / 2, class Join, class X, std::size_t count>
X fold_lanes(Join join, const std::array<X, count>& x) {
  if constexpr (distance == 0) {
    return x[0];
  } else {
    std::array<X, (count + 1) / 2> halves;
    for (std::size_t i = 0; i < halves.size(); ++i) {
      auto low = vectors<V>(x[i]), high = vectors<V>(x[i + count / 2]);
      for (std::size_t k = 0; k < low.size(); ++k) V::template exchange<distance>(low[k], high[k]);
      halves[i] = join(std::bit_cast<X>(low), std::bit_cast<X>(high));
    }
    return fold_lanes<V, distance / 2>(join, halves);
  }
}

/// The same of lanes that are vectors, each with a lane of several rows; of the first `used` of them, the others being
/// zeros.
template <class V, class Join, class X, std::size_t count>
X fold_vectors(Join join, std::array<X, count>& x, std::size_t used) {
  used = std::min(used, count);
  for (std::size_t half = std::bit_ceil(used) / 2; half > 0; used = half, half /= 2) {
    for (std::size_t i = half; i < used; ++i) x[i - half] = join(x[i - half], x[i]);
  }
  return x[0];
}

/// Joins what vectors across rows or along them hold, out of line: functions with the same sums share it.
template <class V, class Join, class X, std::size_t count>
[[gnu::noinline, gnu::flatten]] X fold(Join join, std::array<X, count>& x, std::size_t used, std::size_t rows,
                                       bool across) {
  if (V::size == 1 || across) return fold_vectors<V>(join, x, used);
  return rows == 1 ? fold_lanes<V>(join, std::array<X, 1>{x[0]}) : fold_lanes<V>(join, x);
}

/// What there is of each row, one to a lane: all lanes, or those of one row in every lane.
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
  X get(bool across, std::size_t row) const {
    if constexpr (count == 0) {
      return {};
    } else {
      std::array<V, count> all;
      for (std::size_t k = 0; k < count; ++k) all[k] = across ? V::load(lane_[k]) : V(lane_[k][row]);
      return std::bit_cast<X>(all);
    }
  }
};

}  // namespace
}  // namespace fastact::kernels
