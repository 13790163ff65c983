// Sums of several lanes or vectors, which are joined in halves.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <type_traits>

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

/// The number of vectors across some rows.
template <class V>
constexpr std::size_t vectors_across(std::size_t rows) {
  return (rows + V::size - 1) / V::size;
}

/// Joins the sums of two chains, which some sums do in fewer steps in a row no longer than a block.
struct Join {
  bool in_block;
  template <class X>
  X operator()(X a, X b) const {
    if constexpr (requires { join_in_block(a, b); }) {
      if (in_block) return join_in_block(a, b);
    }
    return join_chains(a, b);
  }
};

/// Joins the partial results of a sweep over some rows, of which vectors along rows have one for each row and vectors
/// across them `used` for each vector. The results, one for each vector of rows, are joined to those of the pieces
/// before unless this piece is the first. It is out of line, so that functions with the same sums share it.
template <class V, class X>
[[gnu::noinline, gnu::flatten]] void fold(void* partial, std::size_t used, std::size_t rows, bool across, bool in_block,
                                          void* result, bool is_first) {
  X *const x = static_cast<X*>(partial), *const to = static_cast<X*>(result);
  const Join join{in_block};
  if (V::size == 1 || across) {
    fold_vectors(join, x, used, vectors_across<V>(rows));
  } else {
    x[0] = rows == 1 ? fold_lanes<V, 1>(join, x) : fold_lanes<V>(join, x);
  }
  for (std::size_t v = 0; v < vectors_across<V>(rows); ++v) to[v] = is_first ? x[v] : join(to[v], x[v]);
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
