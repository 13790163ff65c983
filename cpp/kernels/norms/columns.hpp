// Norms of rows that lie side by side in memory, computed where they are: a vector holds one element of each of several
// rows.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "kernels/interface.hpp"
#include "kernels/norms/normalize.hpp"
#include "kernels/norms/statistics.hpp"
#include "kernels/norms/sums.hpp"
#include "kernels/staging/lines.hpp"

namespace fastact::kernels {
namespace {

template <class Isa, class T, NormShape shape, NormPass pass>
class NormColumns {
  using V = simd::Vec<Isa, T, std::max<std::size_t>(2, 8 / Isa::template size<T>)>;
  using D = Eight<Isa>;
  using P = Projections<Total<T, D>>;
  static constexpr bool backward = pass == NormPass::backward, is_single = std::is_same_v<T, float>;
  static constexpr std::integral_constant<std::size_t, 8> eight_ = {};

  const NormCall& call_;
  const std::size_t n_ = call_.length;
  Statistics<Isa, T, shape.centered> of_rows_{n_, call_.eps};
  Slopes<T> slopes_;

 public:
  /// Kernels compute a multiple of so many rows.
  static constexpr std::size_t unit = 32;

  /// Whether the arrays of the call are columns of the type computed in. In a gradient, dx must not overwrite what may
  /// be needed again, and the sums over rows would run along the vectors.
  static bool fit(const NormCall& call) {
    const auto is_column = [&](const Segments& array) {
      return array.rows.row == std::ptrdiff_t{sizeof(T)} && std::abs(array.rows.element) > array.rows.row;
    };
    const bool fits =
        call.format == native<T> && call.segment >= call.length && is_column(call.x) && is_column(call.result);
    if constexpr (!backward) return fits;
    return shape.per_row && fits && is_column(call.g) && call.result.rows.data != call.x.rows.data &&
           call.result.rows.data != call.g.rows.data;
  }
  explicit NormColumns(const NormCall& call) : call_(call) {}

  /// Computes rows, a multiple of `unit`. again(row) is called for those that need more than the range of floats.
  template <class Again>
  void operator()(std::size_t begin, std::size_t end, Again again) {
    for (std::size_t r = begin, rows; r < end; r += rows) some(r, rows = std::min(most_rows, end - r), again);
  }

 private:
  /// The columns of an array from one row on.
  struct Columns {
    T* data;
    std::ptrdiff_t step;
    T* at(std::size_t j, std::size_t i) const { return data + static_cast<std::ptrdiff_t>(j) * step + i; }
  };
  static Columns columns(const Segments& array, std::size_t r, std::size_t j) {
    return {reinterpret_cast<T*>(array.rows.at(r, j)), array.rows.element / static_cast<std::ptrdiff_t>(sizeof(T))};
  }
  /// Calls body(j, count) for each block of the columns.
  template <class Body>
  void each_block(Body body) const {
    for (std::size_t j = 0; j < n_; j += sum_block) body(j, std::min(sum_block, n_ - j));
  }
  /// The numbers of an operand for a vector of rows, element j: those of the rows or that of the element.
  template <class W>
  static W of(const Operand& o, std::size_t row, std::size_t j, double none) {
    const T* const numbers = static_cast<const T*>(o.data);
    if (numbers == nullptr) return none;
    if constexpr (!shape.per_row) return static_cast<double>(numbers[j]);
    return W::load(numbers + row);
  }

  template <class Again>
  void some(std::size_t r, std::size_t rows, Again again) {
    if constexpr (pass == NormPass::given) {
      of_rows_.take(rows, call_.first + r, call_.second + r);
    } else {
      measure(r, rows);
    }
    if constexpr (backward) {
      differentiate(r, rows, again);
    } else {
      each_block([&](std::size_t j, std::size_t count) {
        for (std::size_t i = 0; i < rows; i += V::size) forward(r, i, j, count);
      });
      if constexpr (shape.per_row && pass == NormPass::forward) {
        for (std::size_t i = 0; i < rows; ++i) {
          call_.first[r + i] = of_rows_.mean[i] / of_rows_.scale[i], call_.second[r + i] = of_rows_.variance[i];
        }
      }
    }
  }

  /// Sums over rows: sum<count>(sums, pitch, j, n, i) adds n elements from j on of the eight columns from i on, and of
  /// as many others as there are registers for.
  template <class X, class Sum>
  void sweep(std::size_t rows, X* totals, Sum sum) const {
    constexpr std::size_t registers = sizeof(X) / sizeof(double) / Isa::template size<double>,
                          together = std::clamp<std::size_t>(8 / registers, 1, unit / 8);
    const std::size_t groups = rows / 8;
    std::array<X, most_rows> sums;
    std::fill_n(sums.data(), rows, X{});
    each_block([&](std::size_t j, std::size_t n) {
      for (std::size_t i = 0; i < groups; i += together) {
        sum(std::integral_constant<std::size_t, together>{}, &sums[i], groups, j, n, 8 * i);
      }
    });
    fold_vectors([](X a, X b) { return a + b; }, sums.data(), 8, groups);
    std::copy_n(sums.data(), groups, totals);
  }

  void measure(std::size_t r, std::size_t rows) {
    of_rows_.measure(rows, [&]<class X>(X* totals, bool chooses_shift) {
      if (shape.centered && chooses_shift) {
        const std::size_t count = std::min(n_, sum_block);
        const Columns x = columns(call_.x, r, 0);
        for (std::size_t i = 0; i < rows; i += 8) {
          const auto at = [&](std::size_t j) { return eight<D>(x.at(j, i), eight_); };
          of_rows_.set_shifts(i, of_rows_.typical(at(0), at(count / 2), at(count - 1)));
        }
      }
      sweep(rows, totals, [&](auto count, X* sums, std::size_t pitch, std::size_t j, std::size_t n, std::size_t i) {
        add_moments<count>(sums, pitch, columns(call_.x, r + i, j), n, of_rows_, i);
      });
    });
  }
  template <std::size_t count, class X>
  [[gnu::flatten, gnu::noinline]] static void add_moments(X* sums, std::size_t pitch, Columns x, std::size_t n,
                                                          const Statistics<Isa, T, shape.centered>& s, std::size_t i) {
    std::array<Measure<D>, count> by;
    for (std::size_t k = 0; k < count; ++k) by[k] = s.measure(SomeRows{i + 8 * k});
    add_columns<count>(
        sums, pitch, n,
        [&](auto& m) {
          for (std::size_t k = 0; k < count; ++k) m[k].begin(by[k]);
        },
        [&](auto& m, std::size_t j) {
          for (std::size_t k = 0; k < count; ++k) m[k].add(eight<D>(x.at(j, 8 * k), eight_), by[k]);
        },
        [&](auto& m) {
          for (std::size_t k = 0; k < count; ++k) m[k].settle(by[k]);
        });
  }

  [[gnu::flatten, gnu::noinline]] void forward(std::size_t r, std::size_t i, std::size_t j, std::size_t n) const {
    const Standardize<V> standardized(of_rows_, SomeRows{i});
    const Columns x = columns(call_.x, r + i, j), y = columns(call_.result, r + i, j);
    V gamma = of<V>(call_.gamma, r + i, j, 1.0), beta = of<V>(call_.beta, r + i, j, -0.0);
    for (std::size_t k = 0; k < n; ++k) {
      if constexpr (!shape.per_row) gamma = of<V>(call_.gamma, r, j + k, 1.0), beta = of<V>(call_.beta, r, j + k, -0.0);
      fma(standardized(V::load(x.at(k, 0))), gamma, beta).store(y.at(k, 0));
    }
  }

  template <class Again>
  void differentiate(std::size_t r, std::size_t rows, Again again) {
    std::array<P, most_rows / 8> sums;
    sweep(rows, sums.data(), [&](auto count, P* p, std::size_t pitch, std::size_t j, std::size_t n, std::size_t i) {
      add_projections<count>(p, pitch, columns(call_.x, r + i, j), columns(call_.g, r + i, j), n, of_rows_, i);
    });
    for (std::size_t i = 0; i < rows; i += 8) {
      const D h = sums[i / 8].h.total(), hx = sums[i / 8].hx.total();
      slopes_.set(
          i, of_rows_, h, hx, D(static_cast<double>(n_)),
          call_.gamma.data == nullptr ? D(1.0) : eight<D>(static_cast<const T*>(call_.gamma.data) + r + i, eight_));
      hx.store(call_.first + r + i), h.store(call_.second + r + i);
    }
    PerRow<T> check = {};
    each_block([&](std::size_t j, std::size_t count) {
      for (std::size_t i = 0; i < rows; i += V::size) backward_block(r, i, j, count, check);
    });
    for (std::size_t i = 0; i < rows && is_single; ++i) {
      if (check[i] != 0) again(r + i);
    }
  }
  template <std::size_t count>
  [[gnu::flatten, gnu::noinline]] static void add_projections(P* sums, std::size_t pitch, Columns x, Columns g,
                                                              std::size_t n, const Standards<T>& s, std::size_t i) {
    std::array<StandardizeWide<T, D>, count> standardized;
    for (std::size_t k = 0; k < count; ++k) standardized[k] = StandardizeWide<T, D>(s, SomeRows{i + 8 * k});
    add_columns<count>(
        sums, pitch, n, [](auto& p) { p = {}; },
        [&](auto& p, std::size_t j) {
          for (std::size_t k = 0; k < count; ++k) {
            const D h = eight<D>(g.at(j, 8 * k), eight_);
            p[k].h.add(h), p[k].hx.add_product(h, standardized[k](eight<D>(x.at(j, 8 * k), eight_)));
          }
        },
        [](auto&) {});
  }
  /// Writes the gradients of a block. check becomes NaN for rows with a number that is not finite.
  [[gnu::flatten, gnu::noinline]] void backward_block(std::size_t r, std::size_t i, std::size_t j, std::size_t n,
                                                      PerRow<T>& check) const {
    const Columns x = columns(call_.x, r + i, j), g = columns(call_.g, r + i, j), dx = columns(call_.result, r + i, j);
    if constexpr (is_single) {
      const SingleSlope<V, shape> slope(of_rows_, slopes_, SomeRows{i});
      V sum = V::load(&check[i]);
      for (std::size_t k = 0; k < n; ++k) {
        const V y = slope(V::load(x.at(k, 0)), V::load(g.at(k, 0)), V(1.0));
        sum = fma(y, V(0.0), sum);
        y.store(dx.at(k, 0));
      }
      sum.store(&check[i]);
    } else {
      for (std::size_t c = 0; c < V::size; c += 8) {
        const Slope<T, D, shape> slope(of_rows_, slopes_, SomeRows{i + c});
        for (std::size_t k = 0; k < n; ++k) {
          slope(eight<D>(x.at(k, c), eight_), eight<D>(g.at(k, c), eight_), D(1.0)).store(dx.at(k, c));
        }
      }
    }
  }
};

}  // namespace
}  // namespace fastact::kernels
