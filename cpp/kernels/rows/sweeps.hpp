// The three sweeps over a few rows.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <limits>
#include <tuple>
#include <utility>

#include "functions/rows/row_function.hpp"
#include "kernels/rows/fold.hpp"
#include "kernels/rows/road.hpp"

/// The sweeps over a few rows; along rows, these are at most as many as a vector has lanes. The order of every sum is
/// the same whichever way the rows lie: element j is added to chain j modulo `chains` of its block, the chains of a
/// block are added to those of the blocks before it, and in the end the upper half of the chains is added to the lower
/// half until one is left.
namespace fastact::kernels {
namespace {

/// Lines that are `line` elements apart. A line is a row or, if vectors lie across rows, one element of each row.
template <class T>
struct Array {
  T* p;
  std::ptrdiff_t line;
};

template <class V, class F>
struct Sweeps {
  using T = typename V::Element;
  using Before = typename F::template Before<V>;
  using Sums = typename F::template Sums<V>;
  /// The last array holds what the second sweep keeps for the third, which reads it in place of the first input.
  using Arrays = std::array<Array<T>, F::rows + F::outputs + 1>;
  static constexpr std::size_t kept = F::rows + F::outputs;
  using Line = std::array<T*, kept + 1>;
  static constexpr auto inputs = std::make_index_sequence<F::rows>{};
  static constexpr std::size_t first_input = F::keeps ? kept : 0;
  /// The number of vectors that lie side by side across rows: enough to read memory in long runs, and so few that the
  /// sums of all chains fit into the first-level cache.
  static constexpr std::size_t groups =
      V::lanes == 1 ? 1 : std::min<std::size_t>(16, std::bit_floor(32768 / (chains<T> * sizeof(Sums))));

  bool across;
  std::size_t rows;
  bool kept_apart;  // the values kept between sweeps are whole vectors, also at the end of a row

  /// The number of groups of rows, each of which fills the lanes of a vector.
  std::size_t vectors() const { return groups == 1 ? 1 : 1 + (rows - 1) / V::size; }
  /// The number of partial results that are joined in the end, one for each row.
  std::size_t joined() const { return rows > 1 ? V::size : 1; }

  /// The address of line i in each array, beginning with its number `first`.
  static Line line(const Arrays& arrays, std::size_t i, std::size_t first = 0) {
    Line p;
    for (std::size_t k = 0; k < p.size(); ++k)
      p[k] = arrays[k].p + static_cast<std::ptrdiff_t>(i) * arrays[k].line + first;
    return p;
  }
  static V load_whole(std::size_t, const T* from) { return V::load(from); }
  static void store_whole(V y, T* to) { y.store(to); }
  /// Loads fewer elements of input k than there are lanes. The value in the other lanes changes no sum and is never the
  /// largest.
  static V load_part(std::size_t k, const T* from, std::size_t part) {
    const V x = V::load(from, part);
    return k == 0 ? select(V::indices() < V(static_cast<double>(part)), x, V(F::template filling<T>(0))) : x;
  }

  /// Adds the vector of numbers that begins at number `at` of a line.
  template <class Load, class Keep>
  static void add(Sums& s, const Before& before, const Line& p, std::size_t at, Load load, Keep keep) {
    [&]<std::size_t... k>(std::index_sequence<k...>) {
      if constexpr (F::keeps) {
        keep(F::add(s, before, load(k, p[k] + at)...), p[kept] + at);
      } else {
        F::add(s, before, load(k, p[k] + at)...);
      }
    }(inputs);
  }
  template <class After, class Load, class Store>
  static void write(const After& after, const Line& p, std::size_t at, Load load, Store store) {
    const auto y = [&]<std::size_t... k>(std::index_sequence<k...>) {
      return F::late(after, load(k, p[k == 0 ? first_input : k] + at)...);
    }(inputs);
    if constexpr (F::outputs == 1) {
      store(y, p[F::rows] + at);
    } else {
      for (std::size_t k = 0; k < F::outputs; ++k) store(y[k], p[F::rows + k] + at);
    }
  }

  /// Finds the largest element of each row or, across rows, of each lane of a group.
  [[gnu::noinline, gnu::flatten]] void largest(const Arrays& arrays, std::size_t begin, std::size_t end, bool is_first,
                                               V* found) const {
    const V least = -std::numeric_limits<double>::infinity();
    const std::size_t n = across ? vectors() : joined();
    for (std::size_t i = across ? 0 : rows; i < n && is_first; ++i) found[i] = least;
    for (std::size_t j = end; across && j-- > begin;) {
      const T* const x = line(arrays, j)[0];
      for (std::size_t v = 0; v < n; ++v) found[v] = F::larger(found[v], V::load(x + v * V::size));
    }
    if (across) return;
    for (std::size_t i = 0; i < rows; ++i) {
      const T* x = line(arrays, i, begin)[0];
      V m = is_first ? least : found[i];
      std::size_t whole = (end - begin) / V::size;
      if (whole >= 8) {
        std::array<V, 8 * V::lanes / V::size>
            several;  // several chains, because each operation waits for the one before
        several.fill(m);
        for (; whole >= several.size(); whole -= several.size()) {
          for (V& most : several) most = F::larger(most, V::load(x)), x += V::size;
        }
        for (const V& most : several) m = F::larger(m, most);
      }
      for (; whole > 0; --whole, x += V::size) m = F::larger(m, V::load(x));
      if (const std::size_t part = (end - begin) % V::size; part > 0) m = F::larger(m, load_part(0, x, part));
      found[i] = m;
    }
  }

  /// Adds the elements from begin to end to the sums, or begins new sums if `is_first`. The number of elements is a
  /// multiple of `block` unless the row ends there. The lines that the third sweep will write are fetched, unless they
  /// are too many to stay in a cache.
  [[gnu::noinline, gnu::flatten]] void sum(const Arrays& arrays, std::size_t begin, std::size_t end, bool is_first,
                                           const Before* before, Sums* sums) const {
    if (across || V::size == 1) return sum_chains(arrays, begin, end, is_first, before, sums);
    Sums none = {};
    none.settle();
    for (std::size_t i = begin == end ? 0 : rows; i < joined(); ++i) sums[i] = none;
    const bool fetches = F::has_late && !F::keeps && end - begin < Pieces::least_length;
    const OfRows<V, Before> of_row(*before);
    for (std::size_t b = begin; b < end; b += block, is_first = false) {
      const std::size_t to = std::min(end, b + block);
      for (std::size_t i = 0; i < rows; ++i) {
        const Line p = line(arrays, i, b);
        const Before of_this = of_row[i];
        Sums s = {};
        std::size_t at = 0;
        const auto add_here = [&](auto load, auto keep) {
          if (fetches) simd::prefetch(p[F::rows] + at);
          add(s, of_this, p, at, load, keep);
        };
        for (; at + V::size <= to - b; at += V::size) add_here(load_whole, store_whole);
        if (const std::size_t part = to - b - at; part > 0) {
          add_here([part](std::size_t k, const T* from) { return load_part(k, from, part); },
                   [this, part](V y, T* place) { kept_apart ? y.store(place) : y.store(place, part); });
        }
        s.settle();
        sums[i] = is_first ? s : sums[i] + s;
      }
    }
  }
  /// Does the same across rows: lines are read in the order of memory, and the sums stay in the first-level cache.
  [[gnu::noinline, gnu::flatten]] void sum_chains(const Arrays& arrays, std::size_t begin, std::size_t end,
                                                  bool is_first, const Before* before, Sums* sums) const {
    const bool fetches = F::has_late && !F::keeps && end - begin < Pieces::least_length;
    const std::size_t n = vectors(), chained = chains<T> * n;
    Sums none = {};
    none.settle();
    if (begin == end) std::fill_n(sums, chained, none);
    for (std::size_t b = begin; b < end; b += block, is_first = false) {
      Sums* const of_block = is_first ? sums : sums + chained;
      std::fill_n(of_block, chained, Sums{});
      for (std::size_t j = b; j < std::min(end, b + block); ++j) {
        const Line p = across ? line(arrays, j) : line(arrays, 0, j);
        Sums* const of_chain = of_block + (j - b) % chains<T> * n;
        for (std::size_t v = 0; v < n; ++v) {
          if (fetches) simd::prefetch(p[F::rows] + v * V::size);
          add(of_chain[v], before[v], p, v * V::size, load_whole, store_whole);
        }
      }
      for (std::size_t k = 0; k < chained; ++k) {
        of_block[k].settle();
        if (!is_first) sums[k] = sums[k] + of_block[k];
      }
    }
  }

  /// All sweeps at once, with vectors across rows that have no more elements than there are chains, or of which
  /// elements are only counted. The values that the next sweep needs stay in registers.
  template <class Numbers>
  [[gnu::noinline, gnu::flatten]] auto few(const Arrays& arrays, std::size_t length, const Numbers& numbers,
                                           V& largest) const {
    largest = -std::numeric_limits<double>::infinity();
    if constexpr (F::has_largest) {
      for (std::size_t j = 0; j < length; ++j) largest = F::larger(largest, V::load(line(arrays, j)[0]));
    }
    Before before = std::apply([&](auto... number) { return F::before(largest, number...); }, numbers);
    Sums sums = {};
    do {
      if constexpr (F::keeps_first) {  // elements are only counted, in any order
        for (std::size_t j = 0; j < length; ++j) add(sums, before, line(arrays, j), 0, load_whole, store_whole);
      } else if constexpr (F::has_sums) {
        std::array<Sums, chains<T>> of_chain;
        of_chain[0] = {};
        for (std::size_t j = 0; j < length; ++j) {
          Sums s = {};
          add(s, before, line(arrays, j), 0, load_whole, store_whole);
          s.settle();
          of_chain[j] = s;
        }
        fold_vectors(JoinInBlock<Sums>(), of_chain.data(), length, 1);
        sums = of_chain[0];
      }
    } while (rowwise::repeats<F>(before, sums));
    const auto after = std::apply([&](auto... number) { return F::after(largest, before, sums, number...); }, numbers);
    if constexpr (F::has_late) {
      for (std::size_t j = 0; j < length; ++j) write(after, line(arrays, j), 0, load_whole, store_whole);
    }
    return after;
  }

  /// Writes the outputs. Across rows it runs backwards, because the last lines are still in the caches.
  template <class After>
  [[gnu::noinline, gnu::flatten]] void late(const Arrays& arrays, std::size_t begin, std::size_t end,
                                            const After* after) const {
    if (across) {
      for (std::size_t j = end; j-- > begin;) {
        const Line p = line(arrays, j);
        for (std::size_t v = 0; v < vectors(); ++v) write(after[v], p, v * V::size, load_whole, store_whole);
      }
      return;
    }
    const OfRows<V, After> of_row(*after);
    for (std::size_t i = 0; i < rows; ++i) {
      const Line p = line(arrays, i, begin);
      const After of_this = of_row[i];
      std::size_t at = 0;
      for (; at + V::size <= end - begin; at += V::size) write(of_this, p, at, load_whole, store_whole);
      if (const std::size_t part = end - begin - at; part > 0) {
        write(
            of_this, p, at,
            [this, part](std::size_t k, const T* from) {
              return F::keeps && k == 0 && kept_apart ? V::load(from) : V::load(from, part);
            },
            [part](V y, T* to) { y.store(to, part); });
      }
    }
  }
};

}  // namespace
}  // namespace fastact::kernels
