// The three sweeps over a few rows.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <tuple>
#include <utility>

#include "functions/rows/row_function.hpp"
#include "kernels/rows/fold.hpp"
#include "kernels/rows/road.hpp"

/// The sweeps over a few rows, at most as many as a vector has lanes. The order of every sum is the same whichever way
/// the rows lie: element j is added to chain j modulo `chains` of its block, a block's chains to those of the blocks
/// before, and in the end the chains in halves.
namespace fastact::kernels {
namespace {

/// A lane for each chain; without SIMD instructions, one lane.
template <class Isa, class T>
using RowVector = simd::Vec<Isa, T, Isa::template size<T> == 1 ? 1 : chains<T> / Isa::template size<T>>;

/// For short rows, whose operations wait for each other: a second register of rows costs little.
template <class V, std::size_t registers = V::several>
using Wide = typename V::template OfRegisters<registers>;

/// Rows that are `row` elements apart.
template <class T>
struct Array {
  T* p;
  std::ptrdiff_t row;
};

template <class V, class F>
struct Sweeps {
  using T = typename V::Element;
  using Before = typename F::template Before<V>;
  using Sums = typename F::template Sums<V>;
  /// The last one is what the second sweep keeps for the third, in the place of the first input.
  using Arrays = std::array<Array<T>, F::rows + F::outputs + 1>;
  static constexpr std::size_t kept = F::rows + F::outputs;
  /// Partial results: of each row where vectors are along them, else of each chain.
  template <class X>
  using Partial = std::array<X, chains<T>>;
  static constexpr auto inputs = std::make_index_sequence<F::rows>{};

  static constexpr std::size_t first_input = F::keeps ? kept : 0;

  bool across;
  std::ptrdiff_t element;  // from one element of a row to the next, in all arrays
  std::size_t rows;
  bool kept_apart;  // what is kept has whole vectors, also at the end of a row

  std::size_t partials() const { return across ? chains<T> : rows; }
  /// The number of partial results that are joined.
  std::size_t joined() const { return across || rows > 1 ? chains<T> : 1; }

  /// The vectors of one row, or of one chain: where the first is in each array, and how many are whole.
  class Walk {
    static constexpr std::size_t count = kept + 1;
    const Arrays arrays_;
    const bool across_;
    const std::ptrdiff_t element_;
    const std::size_t begin_, length_;

   public:
    const std::ptrdiff_t step;
    const std::size_t part;  // elements of one more vector
    std::size_t whole;
    std::array<T*, count> p;

    Walk(const Sweeps& sweeps, const Arrays& arrays, std::size_t begin, std::size_t end)
        : arrays_(arrays),
          across_(sweeps.across),
          element_(sweeps.element),
          begin_(begin),
          length_(end - begin),
          step(element_ * static_cast<std::ptrdiff_t>(across_ ? chains<T> : V::size)),
          part(across_ ? 0 : length_ % V::size),
          whole(length_ / V::size) {
      turn(0);
    }
    /// To row or chain i.
    void turn(std::size_t i) {
      const std::size_t j = across_ ? begin_ + i : begin_;
      if (across_) whole = (length_ + chains<T> - 1 - i) / chains<T>;
      const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(j) * element_;
      for (std::size_t k = 0; k < count; ++k)
        p[k] = arrays_[k].p + (across_ ? first : first + static_cast<std::ptrdiff_t>(i) * arrays_[k].row);
    }
  };
  /// A vector of fewer elements than lanes, of input k; what fills the others changes no sum and is not the largest.
  static V load_part(std::size_t k, const T* from, std::size_t part) {
    const V x = V::load(from, part);
    return k == 0 ? select(V::indices() < V(static_cast<double>(part)), x, V(F::template filling<T>(0))) : x;
  }

  template <class Keep, class... X>
  static void add_to(Sums& s, const Before& before, Keep keep, X... x) {
    if constexpr (F::keeps) {
      keep(F::add(s, before, x...));
    } else {
      F::add(s, before, x...);
    }
  }
  /// f(array, y) for each output y.
  template <class Y, class Each>
  static void each_output(const Y& y, Each f) {
    if constexpr (F::outputs == 1) {
      f(F::rows, y);
    } else {
      for (std::size_t k = 0; k < F::outputs; ++k) f(F::rows + k, y[k]);
    }
  }

  [[gnu::noinline, gnu::flatten]] void largest(const Arrays& arrays, std::size_t begin, std::size_t end, bool is_first,
                                               Partial<V>& found) const {
    const V least = -std::numeric_limits<double>::infinity();
    Walk w(*this, arrays, begin, end);
    for (std::size_t i = 0, last = partials(); i < last; w.turn(++i)) {
      const T* x = w.p[0];
      V m = is_first ? least : found[i];
      std::size_t n = w.whole;
      if (n >= 8) {
        std::array<V, 8 * V::lanes / V::size> several;  // for each waits for the one before
        several.fill(m);
        for (; n >= several.size(); n -= several.size()) {
          for (V& most : several) most = F::larger(most, V::load(x)), x += w.step;
        }
        for (const V& most : several) m = F::larger(m, most);
      }
      for (; n > 0; --n, x += w.step) m = F::larger(m, V::load(x));
      if (w.part > 0) m = F::larger(m, load_part(0, x, w.part));
      found[i] = m;
    }
    for (std::size_t i = partials(); i < joined() && is_first; ++i) found[i] = least;
  }

  /// Of elements begin to end, a multiple of `block` apart unless the row ends there; `is_first` where there are no
  /// sums yet. Fetches the lines that the third sweep will write, unless they are too many to stay in a cache.
  [[gnu::noinline, gnu::flatten]] void sum(const Arrays& arrays, std::size_t begin, std::size_t end, bool is_first,
                                           const OfRows<V, Before>& before_rows, Partial<Sums>& sums) const {
    bool fetches = F::has_late && !F::keeps && end - begin < Pieces::least_length;
    for (std::size_t b = begin; b < end; b += block, is_first = false) {
      Walk w(*this, arrays, b, std::min(end, b + block));
      for (std::size_t i = 0, last = partials(); i < last; w.turn(++i)) {
        const Before before = before_rows.get(across, i);
        const auto p = w.p;
        const auto add = [&before, &p, fetches](Sums& s, std::ptrdiff_t at, auto load, auto keep) {
          if (fetches) simd::prefetch(p[F::rows] + at);
          [&]<std::size_t... k>(std::index_sequence<k...>) {
            add_to(s, before, [&](V y) { keep(y, p[kept] + at); }, load(k, p[k] + at)...);
          }(inputs);
        };
        Sums s = {};
        std::ptrdiff_t at = 0;
        for (std::size_t n = w.whole; n > 0; --n, at += w.step) {
          add(s, at, [](std::size_t, const T* from) { return V::load(from); }, [](V y, T* to) { y.store(to); });
        }
        if (const std::size_t part = w.part; part > 0) {
          add(
              s, at, [part](std::size_t k, const T* from) { return load_part(k, from, part); },
              [this, part](V y, T* to) { kept_apart ? y.store(to) : y.store(to, part); });
        }
        s.settle();
        sums[i] = is_first ? s : sums[i] + s;
      }
    }
    Sums none = {};
    none.settle();
    for (std::size_t i = begin == end ? 0 : partials(); i < joined(); ++i) sums[i] = none;
  }

  /// All sweeps at once, over rows with no more elements than there are chains or counted; a vector has
  /// one element of each row.
  /// What the next sweep needs stays in registers.
  template <class Numbers>
  [[gnu::noinline, gnu::flatten]] auto few(const Arrays& arrays, std::size_t length, const Numbers& numbers,
                                           V& largest) const {
    const auto at = [this, &arrays](std::size_t k, std::size_t j) {
      return arrays[k].p + static_cast<std::ptrdiff_t>(j) * element;
    };
    const auto inputs_at = [&at](std::size_t j, std::size_t first, auto f) {
      return
          [&]<std::size_t... k>(std::index_sequence<k...>) { return f(V::load(at(k == 0 ? first : k, j))...); }(inputs);
    };
    largest = -std::numeric_limits<double>::infinity();
    if constexpr (F::has_largest) {
      for (std::size_t j = 0; j < length; ++j) largest = F::larger(largest, V::load(at(0, j)));
    }
    Before before = std::apply([&](auto... number) { return F::before(largest, number...); }, numbers);
    Sums sums = {};
    do {
      const auto add = [&](auto& s, std::size_t j) {
        inputs_at(j, 0, [&](auto... x) { add_to(s, before, [&](V y) { y.store(at(kept, j)); }, x...); });
      };
      if constexpr (F::keeps_first) {  // counts, in any order
        for (std::size_t j = 0; j < length; ++j) add(sums, j);
      } else if constexpr (F::has_sums) {
        Partial<Sums> of_chain;
        for (std::size_t j = 0; j < length; ++j) {
          Sums s = {};
          add(s, j);
          s.settle();
          of_chain[j] = s;
        }
        if (length > 0) sums = fold_vectors<V>(JoinInBlock<Sums>(), of_chain, length);
      }
    } while (rowwise::repeats<F>(before, sums));
    const auto after = std::apply([&](auto... number) { return F::after(largest, before, sums, number...); }, numbers);
    if constexpr (F::has_late) {
      for (std::size_t j = 0; j < length; ++j) {
        const auto y = inputs_at(j, first_input, [&](auto... x) { return F::late(after, x...); });
        each_output(y, [&](std::size_t k, V v) { v.store(at(k, j)); });
      }
    }
    return after;
  }

  template <class After>
  [[gnu::noinline, gnu::flatten]] void late(const Arrays& arrays, std::size_t begin, std::size_t end,
                                            const OfRows<V, After>& after_rows) const {
    Walk w(*this, arrays, begin, end);
    for (std::size_t i = 0, last = partials(); i < last; w.turn(++i)) {
      const After after = after_rows.get(across, i);
      const auto p = w.p;
      const auto write = [&after, &p](std::ptrdiff_t at, auto load, auto store) {
        const auto y = [&]<std::size_t... k>(std::index_sequence<k...>) {
          return F::late(after, load(k, p[k == 0 ? first_input : k] + at)...);
        }(inputs);
        each_output(y, [&](std::size_t k, V v) { store(v, p[k] + at); });
      };
      std::ptrdiff_t at = 0;
      for (std::size_t n = w.whole; n > 0; --n, at += w.step) {
        write(at, [](std::size_t, const T* from) { return V::load(from); }, [](V y, T* to) { y.store(to); });
      }
      if (const std::size_t part = w.part; part > 0) {
        write(
            at,
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
