// The largest elements of rows.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "kernels/rows/group.hpp"
#include "kernels/staging/lines.hpp"
#include "simd/patterns.hpp"

namespace fastact::kernels {
namespace {

/// The largest elements as a partial result of the first sweep.
template <class V, auto larger>
struct Largest {
  V x;
  friend Largest join_chains(Largest a, Largest b) { return {larger(a.x, b.x)}; }
};

/// The largest of the numbers S that were added to each lane. Those of half precision are compared as they are, and
/// then widened to one or several vectors V.
template <class V, auto larger, class S = typename V::Element>
struct RunningMaximum {
  static constexpr std::size_t size = V::size;
  V largest = -std::numeric_limits<double>::infinity();

  void add(const S* p) { largest = larger(largest, V::load(p)); }
  void add(const S* p, std::size_t part) {
    const V least = -std::numeric_limits<double>::infinity();
    largest = larger(largest, select(V::indices() < V(static_cast<double>(part)), V::load(p, part), least));
  }
  void add(const RunningMaximum& other) { largest = larger(largest, other.largest); }
  V vector(std::size_t) const { return largest; }
};
template <class V, auto larger, simd::HalfPrecision S>
struct RunningMaximum<V, larger, S> {
  using Patterns = simd::Patterns<typename V::InstructionSet, S>;
  static constexpr std::size_t count = std::max<std::size_t>(1, V::size / Patterns::size);
  static constexpr std::size_t size = count * Patterns::size;
  std::array<typename Patterns::Largest, count> largest;

  void add(const S* p) {
    for (std::size_t k = 0; k < count; ++k) largest[k].add(Patterns::load(p + k * Patterns::size));
  }
  void add(const S* p, std::size_t part) {
    const Patterns least = -std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < count; ++k, p += Patterns::size, part -= std::min(part, Patterns::size))
      largest[k].add(Patterns::load(p, std::min(part, Patterns::size), least));
  }
  void add(const RunningMaximum& other) {
    for (std::size_t k = 0; k < count; ++k) largest[k].add(other.largest[k]);
  }
  V vector(std::size_t k) const {
    S numbers[size];
    for (std::size_t i = 0; i < count; ++i) largest[i].value().store(numbers + i * Patterns::size);
    return V::load(numbers + k * V::size);
  }
};

/// Adds contiguous numbers to M, in several chains, because each operation waits for the one before. Numbers in the
/// last whole vector may be added twice.
template <class M, class S>
void add_all(M& most, const S* p, std::size_t n) {
  constexpr std::size_t count = 4;
  if (n < M::size) return n > 0 ? most.add(p, n) : void();
  const S *const end = p + n, *const last = end - M::size;
  if (n >= 2 * count * M::size) {
    std::array<M, count> chains;
    chains.fill(most);
    while (end - p >= static_cast<std::ptrdiff_t>(count * M::size)) {
      for (M& chain : chains) chain.add(p), p += M::size;
    }
    for (const M& chain : chains) most.add(chain);
  }
  for (; p < last; p += M::size) most.add(p);
  most.add(last);
}

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
  if (is_first) std::fill_n(found, V::size, least);
  for (std::size_t i = 0; i < of.rows; ++i) {
    RunningMaximum<V, larger> most = {found[i]};
    add_all(most, x + static_cast<std::ptrdiff_t>(i) * line + begin, end - begin);
    found[i] = most.largest;
  }
}

/// Finds the largest element of each row where nothing else is wanted of the rows.
template <class V, auto larger, class S>
[[gnu::noinline, gnu::flatten]] void find_only_largest(const S* x, std::ptrdiff_t line, bool across, std::size_t rows,
                                                       std::size_t length, typename V::Element* found) {
  using M = RunningMaximum<V, larger, S>;
  const auto at = [x, line](std::size_t i) { return x + static_cast<std::ptrdiff_t>(i) * line; };
  if (!across) {
    for (std::size_t first = 0, some; first < rows; first += some) {
      some = std::min(V::size, rows - first);
      V of_row[V::size];
      std::fill(of_row + some, of_row + V::size, V(0.0));
      for (std::size_t i = 0; i < some; ++i) {
        M most;
        add_all(most, at(first + i), length);
        of_row[i] = most.vector(0);
        for (std::size_t k = 1; k < M::size / V::size; ++k) of_row[i] = larger(of_row[i], most.vector(k));
      }
      fold<V, Largest<V, larger>>(of_row, 1, some, false, true, found + first, true);
    }
    return;
  }
  const auto columns = [&](std::size_t first, auto count, auto... part) {
    std::array<M, count> most;
    for (std::size_t j = 0; j < length; ++j) {
      for (std::size_t i = 0; i < count; ++i) most[i].add(at(j) + first + i * M::size, part...);
    }
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t k = 0; k < M::size / V::size; ++k)
        most[i].vector(k).store(found + first + i * M::size + k * V::size);
    }
  };
  constexpr std::integral_constant<std::size_t, 8 * V::lanes / V::size> several;
  constexpr std::integral_constant<std::size_t, 1> one;
  std::size_t i = 0;
  for (; i + several * M::size <= rows; i += several * M::size) columns(i, several);
  for (; i < rows; i += M::size) rows < M::size ? columns(0, one, rows) : columns(std::min(i, rows - M::size), one);
}
template <class V, auto larger>
void find_only_largest(const Group<typename V::Element>& of, std::size_t length, typename V::Element* found) {
  using T = typename V::Element;
  with_type(of.format, [&]<class S>(S*) {
    if constexpr (std::is_same_v<T, S> || (std::is_same_v<T, float> && sizeof(S) < sizeof(T) && V::lanes > 1)) {
      const S* const x = reinterpret_cast<const S*>(of.arrays[0].p);
      find_only_largest<V, larger>(x, of.arrays[0].line, of.across, of.rows, length, found);
    }
  });
}

}  // namespace
}  // namespace fastact::kernels
