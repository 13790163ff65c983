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
  for (std::size_t half = count / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half && i + half < used; ++i) x[i] = join(x[i], x[i + half]);
    used = std::min(used, half);
  }
  return x[0];
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
