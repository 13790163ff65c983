// Some rows that are computed together, and what vectors hold of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

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
  std::size_t rows;
  Format format;     // of the first input, whose numbers are not T if it is half precision
  Arrays<T> arrays;  // the inputs, the outputs, and what is kept
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

/// The largest elements as a partial result of the first sweep.
template <class V, auto larger>
struct Largest {
  V x;
  friend Largest join_chains(Largest a, Largest b) { return {larger(a.x, b.x)}; }
};
/// Finds the largest element of each row or, across rows, of each lane of a vector.
template <class V, auto larger>
[[gnu::noinline, gnu::flatten]] void find_largest(const Group<typename V::Element>& of, std::size_t begin,
                                                  std::size_t end, bool is_first, V* found) {
  using T = typename V::Element;
  const V least = -std::numeric_limits<double>::infinity();
  const auto [x, line] = of.arrays[0];
  if (of.across) {
    const std::size_t n = vectors_across<V>(of.rows);
    if (is_first) std::fill_n(found, n, least);
    for (std::size_t j = end; j-- > begin;) {
      const T* const p = x + static_cast<std::ptrdiff_t>(j) * line;
      for (std::size_t v = 0; v < n; ++v) found[v] = larger(found[v], V::load(p + v * V::size));
    }
    return;
  }
  for (std::size_t i = of.rows; i < V::size && is_first; ++i) found[i] = least;
  for (std::size_t i = 0; i < of.rows; ++i) {
    const T* p = x + static_cast<std::ptrdiff_t>(i) * line + begin;
    V m = is_first ? least : found[i];
    std::size_t whole = (end - begin) / V::size;
    if (whole >= 8) {
      std::array<V, 8 * V::lanes / V::size> several;  // several chains, because each operation waits for the one before
      several.fill(m);
      for (; whole >= several.size(); whole -= several.size()) {
        for (V& most : several) most = larger(most, V::load(p)), p += V::size;
      }
      for (const V& most : several) m = larger(m, most);
    }
    for (; whole > 0; --whole, p += V::size) m = larger(m, V::load(p));
    if (const std::size_t part = (end - begin) % V::size; part > 0)
      m = larger(m, select(V::indices() < V(static_cast<double>(part)), V::load(p, part), least));
    found[i] = m;
  }
}

}  // namespace
}  // namespace fastact::kernels
