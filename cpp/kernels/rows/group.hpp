// Some rows that are computed together, and what vectors hold of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <type_traits>

#include "kernels/fold.hpp"
#include "kernels/interface.hpp"
#include "kernels/rows/road.hpp"
#include "simd/simd.hpp"

namespace fastact::kernels {
namespace {

/// Lines that are `line` elements apart. A line is a row or, if vectors lie across rows, one element of each row.
template <class T>
struct Array {
  T* p;
  std::ptrdiff_t line;
};

/// The arrays that a function may have, and one of what the second sweep keeps for the third, which reads it in place
/// of the first input.
template <class T>
using Arrays = std::array<Array<T>, most_operands + 1>;

template <class T>
struct Group {
  bool across;      // vectors lie across the rows
  bool kept_apart;  // the values kept between sweeps are whole vectors, also at the end of a row
  bool copied;      // all arrays are in buffers
  std::size_t rows;
  Format format;           // of the first input, whose numbers are not T if it is half precision
  Arrays<T> arrays;        // the inputs, the outputs, and what is kept
  std::size_t packed = 1;  // so many elements of each row, one after another, are as many rows of their own
};

/// The number of groups of rows that lie side by side in a sweep, each of which fills the lanes of a vector, at most.
constexpr std::size_t most_groups = 16;
/// The sums of a function consist of at most so many vectors.
constexpr std::size_t most_summed = 7;

/// A vector with one lane for each chain or, without SIMD instructions, one lane.
template <class Isa, class T>
using RowVector = simd::Vec<Isa, T, Isa::template size<T> == 1 ? 1 : chains<T> / Isa::template size<T>>;

/// The vector for short rows. Its operations wait for one another, so that further registers of rows cost little.
template <class V, std::size_t registers = V::several>
using Wide = typename V::template OfRegisters<registers>;

/// The number of vectors across some rows.
template <class V>
constexpr std::size_t vectors_across(std::size_t rows) {
  return (rows + V::size - 1) / V::size;
}

/// Whether the lines of a sweep across rows are fetched ahead: where they are so far apart that the processor does not
/// do it, and too many to stay in a cache.
template <class V>
bool fetches_ahead(const Group<typename V::Element>& of, std::size_t lines) {
  return of.across && std::abs(of.arrays[0].line) * std::ptrdiff_t{sizeof of.arrays[0].p[0]} >= 2048 &&
         lines * vectors_across<V>(of.rows) * sizeof(V) >= std::size_t{1} << 19;
}
/// Fetches line i of each of the first `arrays` arrays, which is read or written soon.
template <class V>
[[gnu::noinline]] void fetch(const Group<typename V::Element>& of, std::size_t arrays, std::size_t i) {
  for (std::size_t k = 0; k < arrays; ++k) {
    const auto* const p = of.arrays[k].p + static_cast<std::ptrdiff_t>(i) * of.arrays[k].line;
    for (std::size_t v = 0; v < of.rows; v += chains<typename V::Element>) simd::prefetch(p + v);
  }
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
