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
#include "kernels/rows/group.hpp"
#include "kernels/rows/largest.hpp"
#include "kernels/rows/road.hpp"
#include "simd/interleaved.hpp"

/// The sweeps over a few rows; along rows, these are at most as many as a vector has lanes. The order of every sum is
/// the same whichever way the rows lie: element j is added to chain j modulo `chains` of its block, the chains of a
/// block are added to those of the blocks before it, and in the end the upper half of the chains is added to the lower
/// half until one is left.
namespace fastact::kernels {
namespace {

/// The sweeps of a function of rows.
template <class V, class F>
struct Sweeps {
  using T = typename V::Element;
  using Rows = Group<T>;
  static constexpr F traits = {};
  using Before = typename F::template Before<V>;
  using Sums = typename F::template Sums<V>;
  static constexpr std::size_t kept = traits.arrays();
  static constexpr auto inputs = std::make_index_sequence<traits.inputs>{};
  static constexpr std::size_t lines_ahead = 2;  // so many lines before they are read, lines are fetched
  static constexpr std::size_t first_input = traits.keeps ? kept : 0;
  /// Enough to read memory in long runs, and so few that the sums of all chains fit into the first-level cache.
  static constexpr std::size_t groups =
      V::lanes == 1 ? 1 : std::min<std::size_t>(most_groups, std::bit_floor(32768 / (chains<T> * sizeof(Sums))));

  /// The address of line i in each array, beginning with its number `first`.
  template <class S>
  static auto line(const Group<S>& of, std::size_t i, std::size_t first = 0) {
    std::array<S*, kept + 1> p;
    for (std::size_t k = 0; k < p.size(); ++k)
      p[k] = of.arrays[k].p + static_cast<std::ptrdiff_t>(i) * of.arrays[k].line + first;
    return p;
  }
  static constexpr auto load_whole = []<class S>(std::size_t, const S* from) { return simd::Memory<V, S>::load(from); };
  static constexpr auto store_whole = []<class S>(V y, S* to) { simd::Memory<V, S>{y}.store(to); };
  /// Loads fewer elements of input k than there are lanes. The value in the other lanes changes no sum and is never the
  /// largest.
  static V load_part(std::size_t k, const T* from, std::size_t part) {
    const V x = V::load(from, part);
    return k == 0 ? select(V::indices() < V(static_cast<double>(part)), x, V(traits.filling)) : x;
  }

  /// Adds the vector of numbers that begins at number `at` of a line.
  template <class Load, class Keep>
  static void add(Sums& s, const Before& before, const auto& p, std::size_t at, Load load, Keep keep) {
    [&]<std::size_t... k>(std::index_sequence<k...>) {
      if constexpr (traits.keeps) {
        keep(F::add(s, before, load(k, p[k] + at)...), p[kept] + at);
      } else {
        F::add(s, before, load(k, p[k] + at)...);
      }
    }(inputs);
  }
  template <class After, class Load, class Store>
  static void write(const After& after, const auto& p, std::size_t at, Load load, Store store) {
    const auto y = [&]<std::size_t... k>(std::index_sequence<k...>) {
      return F::late(after, load(k, p[k == 0 ? first_input : k] + at)...);
    }(inputs);
    if constexpr (traits.outputs == 1) {
      store(y, p[traits.inputs] + at);
    } else {
      for (std::size_t k = 0; k < traits.outputs; ++k) store(y[k], p[traits.inputs + k] + at);
    }
  }

  /// Adds the elements from `at` to `to` of a line, which are in one block.
  static void add_block(Sums& s, const Rows& of, const auto& p, const Before& before, std::size_t at, std::size_t to) {
    for (; at + V::size <= to; at += V::size) add(s, before, p, at, load_whole, store_whole);
    if (const std::size_t part = to - at; part > 0) {
      add(
          s, before, p, at, [part](std::size_t k, const T* from) { return load_part(k, from, part); },
          [&of, part](V y, T* place) { of.kept_apart ? y.store(place) : y.store(place, part); });
    }
  }
  /// Adds the elements from begin to end to the sums, or begins new sums if `is_first`. The number of elements is a
  /// multiple of `block` unless the row ends there.
  [[gnu::noinline, gnu::flatten]] static void sum(const Rows& of, std::size_t begin, std::size_t end, bool is_first,
                                                  const Before* before, Sums* sums) {
    if (of.across || V::size == 1) return sum_chains(of, begin, end, is_first, before, sums);
    Sums none = {};
    none.settle();
    for (std::size_t i = of.rows; i < V::size; ++i) sums[i] = none;
    const OfRows<V, Before> of_row(*before);
    for (std::size_t i = 0; i < of.rows; ++i) {
      const auto p = line(of, i);
      const Before of_this = of_row[i];
      Sums total = is_first ? none : sums[i];
      for (std::size_t at = begin; at < end;) {
        const std::size_t to = std::min(end, at + block);
        Sums s = {};
        add_block(s, of, p, of_this, at, to);
        s.settle();
        total = is_first && at == begin ? s : total + s;
        at = to;
      }
      sums[i] = total;
    }
  }
  /// Does the same across rows: lines are read in the order of memory, except that four elements of a chain are added
  /// together where nothing is written. The sums stay in the first-level cache.
  [[gnu::noinline, gnu::flatten]] static void sum_chains(const Rows& of, std::size_t begin, std::size_t end,
                                                         bool is_first, const Before* before, Sums* sums) {
    constexpr std::size_t together = traits.keeps ? 1 : 4;
    const bool fetches = fetches_ahead<V>(of, end - begin);
    const std::size_t n = vectors_across<V>(of.rows), lines = chains<T> / of.packed, chained = lines * n;
    Sums none = {};
    none.settle();
    if (begin == end) std::fill_n(sums, chained, none);
    for (std::size_t b = begin; b < end; b += block / of.packed, is_first = false) {
      Sums* const of_block = is_first ? sums : sums + chained;
      std::fill_n(of_block, chained, Sums{});
      const auto add_lines = [&](std::size_t j, auto count) {
        std::array<std::array<T*, kept + 1>, count> p;
        for (std::size_t k = 0; k < count; ++k) {
          const std::size_t element = j + k * lines;
          p[k] = of.across ? line(of, element) : line(of, 0, element);
          if (fetches) fetch<V>(of, traits.keeps ? traits.arrays() : traits.inputs, element + lines_ahead);
        }
        Sums* const of_chain = of_block + (j - b) % lines * n;
        for (std::size_t v = 0; v < n; ++v) {
          Sums s = of_chain[v];
          for (const auto& some : p) add(s, before[v], some, v * V::size, load_whole, store_whole);
          of_chain[v] = s;
        }
      };
      const std::size_t to = std::min(end, b + block / of.packed);
      std::size_t j = b;
      for (; j + together * lines <= to; j += together * lines) {
        for (std::size_t c = 0; c < lines; ++c) add_lines(j + c, std::integral_constant<std::size_t, together>{});
      }
      for (; j < to; ++j) add_lines(j, std::integral_constant<std::size_t, 1>{});
      for (std::size_t k = 0; k < chained; ++k) {
        of_block[k].settle();
        if (!is_first) sums[k] = sums[k] + of_block[k];
      }
    }
  }

  /// These return what the second and the third sweep need to know of the rows.
  static Before before(V largest, const auto& numbers) {
    return std::apply([&](auto... number) { return F::before(largest, number...); }, numbers);
  }
  static auto after(V largest, const Before& before, const Sums& sums, const auto& numbers) {
    return std::apply([&](auto... number) { return F::after(largest, before, sums, number...); }, numbers);
  }

  /// The largest element of each row, one vector of rows at a time.
  template <bool across>
  static V largest(const Rows& of, std::size_t length) {
    V m = -std::numeric_limits<double>::infinity();
    if constexpr (traits.has_largest) {
      if constexpr (across) {
        for (std::size_t j = 0; j < length; ++j) m = F::larger(m, V::load(line(of, j)[0]));
      } else {
        constexpr auto larger = F::template larger<V>;
        V of_row[V::size];
        find_largest<V, larger>(of, 0, length, true, of_row);
        fold<V, Largest<V, larger>>(of_row, 1, of.rows, false, true, &m, true);
      }
    }
    return m;
  }
  /// The sums of each row. Across rows these have no more elements than there are chains, or are only counted.
  template <bool across>
  static Sums sums(const Rows& of, std::size_t length, const Before& before) {
    Sums sums = {};
    if constexpr (across && traits.keeps_first) {  // elements are counted in any order
      for (std::size_t j = 0; j < length; ++j) add(sums, before, line(of, j), 0, load_whole, store_whole);
    } else if constexpr (across && traits.has_sums) {
      std::array<Sums, chains<T>> of_chain;
      of_chain[0] = {};
      for (std::size_t j = 0; j < length; ++j) {
        Sums s = {};
        add(s, before, line(of, j), 0, load_whole, store_whole);
        s.settle();
        of_chain[j] = s;
      }
      fold_vectors(Join{true}, of_chain.data(), length, 1);
      sums = of_chain[0];
    } else if constexpr (traits.has_sums) {
      Sums of_row[V::size];
      if (length > block) {
        sum(of, 0, length, true, &before, of_row);
        fold<V, Sums>(of_row, 1, of.rows, false, false, &sums, true);
        return sums;
      }
      const OfRows<V, Before> before_row(before);
      for (std::size_t i = 0; i < of.rows; ++i) {
        Sums s = {};
        add_block(s, of, line(of, i), before_row[i], 0, length);
        of_row[i] = s;
      }
      std::fill(of_row + of.rows, of_row + V::size, Sums{});
      for (Sums& s : of_row) s.settle();
      if constexpr (std::is_empty_v<Before>) {  // where little is computed, a call would count
        sums = fold_lanes<V>(Join{true}, of_row);
      } else {
        fold<V, Sums>(of_row, 1, of.rows, false, true, &sums, true);
      }
    }
    return sums;
  }

  /// Writes the outputs. Across rows it runs backwards, because the last lines are still in the caches.
  template <bool across, class After, class S>
  [[gnu::flatten]] static void late(const Group<S>& of, std::size_t begin, std::size_t end, const After* after) {
    if constexpr (across) {
      const std::size_t n = vectors_across<V>(of.rows);
      const bool fetches = fetches_ahead<V>(of, end - begin);
      for (std::size_t j = end; j-- > begin;) {
        if (fetches) fetch<V>(of, traits.arrays(), std::max(j, begin + lines_ahead) - lines_ahead);
        const auto p = line(of, j);
        for (std::size_t v = 0; v < n; ++v) write(after[v], p, v * V::size, load_whole, store_whole);
      }
    } else {
      // The whole vectors of all rows first, and then the others, so that constants are loaded once in short rows.
      const OfRows<V, After> of_row(*after);
      const std::size_t length = end - begin, part = length % V::size, whole = length - part;
      for (std::size_t i = 0; i < of.rows; ++i) {
        const auto p = line(of, i, begin);
        const After of_this = of_row[i];
        for (std::size_t at = 0; at < whole; at += V::size) write(of_this, p, at, load_whole, store_whole);
      }
      for (std::size_t i = 0; part > 0 && i < of.rows; ++i) {
        write(
            of_row[i], line(of, i, begin), whole,
            [part](std::size_t, const S* from) { return simd::Memory<V, S>::load(from, part); },
            [part](V y, S* to) { simd::Memory<V, S>{y}.store(to, part); });
      }
    }
  }
};

}  // namespace
}  // namespace fastact::kernels
