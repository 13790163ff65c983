// Sums of several lanes or vectors, which are joined in halves.
#pragma once

#include <array>
#include <bit>
#include <cstddef>

namespace fastact::kernels {
// Internal linkage gives each instruction set code of its own: none may run what was compiled for another.
namespace {

/// Returns the vectors of a struct that consists of nothing else.
template <class V, class X>
auto vectors(const X& x) {
  return std::bit_cast<std::array<V, sizeof(X) / sizeof(V)>>(x);
}

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

}  // namespace
}  // namespace fastact::kernels
