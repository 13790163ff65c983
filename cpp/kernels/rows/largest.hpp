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

/// The largest of the vectors that were added, a partial result of the first sweep.
template <class V, auto larger>
struct Largest {
  using Numbers = V;
  V value = -std::numeric_limits<double>::infinity();
  void add(V x) { value = larger(value, x); }
  void add(const Largest& other) { add(other.value); }
  void store(typename V::Element* to) const { value.store(to); }
  V vector() const { return value; }
  friend Largest join_chains(Largest a, Largest b) { return {larger(a.value, b.value)}; }
};
/// The same for half precision S: numbers are compared as they are, and the largest ones are widened.
template <class V, auto larger, class S>
struct LargestHalf : simd::Patterns<typename V::InstructionSet, S>::Largest {
  using Numbers = simd::Patterns<typename V::InstructionSet, S>;
  void store(typename V::Element* to) const {
    S numbers[Numbers::size];
    this->value().store(numbers);
    widen<V>(numbers, to, Numbers::size);
  }
  V vector() const {
    S numbers[std::max(Numbers::size, V::size)];
    for (std::size_t k = 0; k < std::size(numbers); k += Numbers::size) this->value().store(numbers + k);
    Largest<V, larger> largest;
    for (std::size_t k = 0; k < std::size(numbers); k += V::size) largest.add(V::load(numbers + k));
    return largest.value;
  }
};
template <class V, auto larger, class S>
using Maximum = std::conditional_t<simd::HalfPrecision<S>, LargestHalf<V, larger, S>, Largest<V, larger>>;

/// The largest of contiguous numbers, in each lane. It is found in several chains, because each operation waits for the
/// one before. Numbers in the last whole vector may be added twice.
template <class V, auto larger, class S>
V largest_of(const S* p, std::size_t n) {
  using M = Maximum<V, larger, S>;
  using Numbers = typename M::Numbers;
  constexpr std::size_t count = 4, size = Numbers::size;
  M most;
  if (n < size) {
    S numbers[size];
    Numbers(-std::numeric_limits<double>::infinity()).store(numbers);
    std::copy_n(p, n, numbers);
    most.add(Numbers::load(numbers));
  } else {
    const S *const end = p + n, *const last = end - size;
    if (n >= 2 * count * size) {
      std::array<M, count> chains;
      while (end - p >= static_cast<std::ptrdiff_t>(count * size)) {
        for (M& chain : chains) chain.add(Numbers::load(p)), p += size;
      }
      for (const M& chain : chains) most.add(chain);
    }
    for (; p < last; p += size) most.add(Numbers::load(p));
    most.add(Numbers::load(last));
  }
  return most.vector();
}

/// Finds the largest number of each column. Those of several vectors stay in registers.
template <class V, auto larger, class S>
[[gnu::noinline, gnu::flatten]] void find_in_columns(const S* x, std::ptrdiff_t line, std::size_t columns,
                                                     std::size_t lines, typename V::Element* found) {
  using M = Maximum<V, larger, S>;
  using Numbers = typename M::Numbers;
  const auto some = [&](std::size_t first, auto count, auto... part) {
    std::array<M, count> most;
    for (std::size_t j = 0; j < lines; ++j) {
      const S* const p = x + static_cast<std::ptrdiff_t>(j) * line + first;
      for (std::size_t i = 0; i < count; ++i) most[i].add(Numbers::load(p + i * Numbers::size, part...));
    }
    for (std::size_t i = 0; i < count; ++i) most[i].store(found + first + i * Numbers::size);
  };
  constexpr std::integral_constant<std::size_t, 8 * V::lanes / V::size> several;
  constexpr std::integral_constant<std::size_t, 1> one;
  constexpr std::size_t size = Numbers::size;
  std::size_t i = 0;
  for (; i + several * size <= columns; i += several * size) some(i, several);
  for (; i < columns; i += size) columns < size ? some(0, one, columns) : some(std::min(i, columns - size), one);
}

/// Finds the largest element of each row, a lane of a vector for each row, or across rows, of each lane of a vector.
template <class V, auto larger>
[[gnu::noinline, gnu::flatten]] void find_largest(const Group<typename V::Element>& of, std::size_t begin,
                                                  std::size_t end, bool is_first, V* found) {
  const auto [x, line] = of.arrays[0];
  const std::size_t n = of.across ? vectors_across<V>(of.rows) : V::size;
  if (is_first) std::fill_n(found, n, V(-std::numeric_limits<double>::infinity()));
  constexpr std::size_t lines_ahead = 8;  // more than in other sweeps, because these lines are read in less time
  const bool fetches = fetches_ahead<V>(of, end - begin);
  for (std::size_t j = end; of.across && j-- > begin;) {
    if (fetches) fetch<V>(of, 1, std::max(j, begin + lines_ahead) - lines_ahead);
    const auto* const p = x + static_cast<std::ptrdiff_t>(j) * line;
    for (std::size_t v = 0; v < n; ++v) found[v] = larger(found[v], V::load(p + v * V::size));
  }
  for (std::size_t i = 0; !of.across && i < of.rows; ++i) {
    const auto* const p = x + static_cast<std::ptrdiff_t>(i) * line + begin;
    found[i] = larger(found[i], largest_of<V, larger>(p, end - begin));
  }
}

/// Returns the largest element of each row, of at most as many rows as a vector has lanes.
template <class V, auto larger, class S>
[[gnu::noinline, gnu::flatten]] V largest_of_rows(const S* x, std::ptrdiff_t line, std::size_t rows,
                                                  std::size_t length) {
  V of_row[V::size], largest;
  std::fill(of_row + rows, of_row + V::size, V(0.0));
  for (std::size_t i = 0; i < rows; ++i)
    of_row[i] = largest_of<V, larger>(x + static_cast<std::ptrdiff_t>(i) * line, length);
  fold<V, Largest<V, larger>>(of_row, 1, rows, false, true, &largest, true);
  return largest;
}

/// Finds the largest element of each row where nothing else is wanted of the rows.
template <class V, auto larger, class S>
void find_only_largest(const Group<typename V::Element>& of, std::size_t length, typename V::Element* found) {
  const S* const x = reinterpret_cast<const S*>(of.arrays[0].p);
  const std::ptrdiff_t line = of.arrays[0].line;
  if (of.across) return find_in_columns<V, larger>(x, line, of.rows, length, found);
  for (std::size_t i = 0; i < of.rows; i += V::size) {
    const S* const first = x + static_cast<std::ptrdiff_t>(i) * line;
    largest_of_rows<V, larger>(first, line, std::min(V::size, of.rows - i), length).store(found + i);
  }
}

}  // namespace
}  // namespace fastact::kernels
