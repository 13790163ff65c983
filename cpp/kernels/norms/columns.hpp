// Norms of several rows in a vector, one element of each: of rows that lie side by side in memory, which are computed
// where they are, and of short rows, which are transposed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <numeric>

#include "kernels/interface.hpp"
#include "kernels/norms/normalize.hpp"
#include "kernels/norms/statistics.hpp"
#include "kernels/norms/sums.hpp"
#include "kernels/staging/stage.hpp"

namespace fastact::kernels {
namespace {

template <class Isa, class T>
class NormColumns {
  using V = simd::Vec<Isa, T, std::max<std::size_t>(2, 8 / Isa::template size<T>)>;
  using D = Eight<Isa>;
  using P = Projections<Total<T, D>>;
  static constexpr bool is_single = std::is_same_v<T, float>;
  static constexpr std::integral_constant<std::size_t, 8> eight_ = {};
  /// Rows are computed in multiples of `unit`, and so many at a time in a buffer, whose pitch is no power of two.
  static constexpr std::size_t unit = 32, most_staged = 64, pitch = most_staged + 16;
  /// Memory is fetched so many elements before it is written.
  static constexpr std::size_t fetched_ = 16;
  /// The results of so many rows that lie side by side are written together. The pitch of their numbers is no power of
  /// two, either.
  static constexpr std::size_t most_across = 4096 / sizeof(T);
  using Across = Narrow<T, most_across + 16>;
  static constexpr std::size_t across_size = sizeof(Across) / sizeof(T);

  /// Columns from one row on, in memory or in a buffer.
  template <class S>
  struct ColumnsOf {
    S* data;
    std::ptrdiff_t step;
    S* at(std::size_t j, std::size_t i) const { return data + static_cast<std::ptrdiff_t>(j) * step + i; }
  };
  using Columns = ColumnsOf<T>;

  const NormCall& call_;
  const std::size_t n_ = call_.length;
  const bool per_row_ = call_.norm == Norm::batch, centered_ = call_.norm != Norm::rms;
  std::size_t rows_ = 0, padded_ = 0;  // at a time, and their number rounded up to whole units
  Columns x_ = {}, g_ = {}, result_ = {};
  Statistics<Isa, T> of_rows_{call_};
  Slopes<T> slopes_;

  static bool is_in_place(const NormCall& call, const Segments& array) {
    return call.format == native<T> && array.rows.row == std::ptrdiff_t{sizeof(T)};
  }
  static bool is_backward(const NormCall& call) { return call.pass == NormPass::backward; }
  /// The gradients of floats may have to be computed again.
  static bool is_overwritten(const NormCall& call) {
    return is_backward(call) && is_single &&
           (call.result.rows.data == call.x.rows.data || call.result.rows.data == call.g.rows.data);
  }
  /// Whether rows are normalized where they are, because they are side by side.
  static bool are_across(const NormCall& call) {
    const std::ptrdiff_t item = size_of(call.format);
    return !is_backward(call) && call.x.rows.row == item && call.result.rows.row == item;
  }
  /// Whether nothing has to be copied.
  static bool are_in_place(const NormCall& call) {
    return is_in_place(call, call.x) && is_in_place(call, call.result) && !is_overwritten(call) &&
           (!is_backward(call) || is_in_place(call, call.g));
  }
  /// Whether the buffers can hold all arrays; the gradients of doubles take the place of x.
  static bool fits(const NormCall& call) {
    return call.length * pitch * (!is_backward(call) ? 1 : is_single ? 3 : 2) <= Scratch<T>::size - across_size;
  }

 public:
  /// Returns how many of so many rows this kernel should compute: the first ones.
  static std::size_t count(const NormCall& call, std::size_t rows) {
    constexpr std::size_t few = 32;
    const std::size_t fewest = call.length <= few ? 8 : unit / 2;  // fewer leave most lanes of a unit empty
    const auto is_nearer_across = [](const Segments& a) { return std::abs(a.rows.row) < std::abs(a.rows.element); };
    const bool is_across = is_nearer_across(call.x) && is_nearer_across(call.result);
    if (call.segment < call.length || Scratch<T>::of_thread() == nullptr) return 0;
    if (joined(call, rows) > 1) return rows;
    if (rows < fewest || !(is_across || call.length <= few)) return 0;
    if (fits(call) || (call.pass == NormPass::given && are_across(call))) return rows;
    return are_across(call) || are_in_place(call) ? rows / unit * unit : 0;
  }
  /// How many elements of so many contiguous rows are written like one element of more rows, if the statistics are
  /// given: as many as fill whole vectors and make a long run, of numbers that stay in the first-level cache.
  static std::size_t joined(const NormCall& call, std::size_t rows) {
    const std::ptrdiff_t run = static_cast<std::ptrdiff_t>(rows) * size_of(call.format);
    const bool is_contiguous = call.x.rows.element == run && call.result.rows.element == run;
    if (call.pass != NormPass::given || !are_across(call) || !is_contiguous) return 1;
    const std::size_t even = unit / std::gcd(unit, rows), whole = even * rows <= most_across - unit ? even : 1;
    return std::clamp<std::size_t>(call.length / 16, 1, whole * std::max<std::size_t>(1, 256 / (whole * rows)));
  }
  explicit NormColumns(const NormCall& call) : call_(call) {}

  void operator()(std::size_t begin, std::size_t end) {
    if (are_across(call_)) return across(begin, end);
    // The gradients of doubles are written in columns, of which many would not stay in the cache. Gradients of gamma
    // for each element take another sweep, which would read columns that displace each other once more.
    const bool are_many = is_single && are_in_place(call_) && (per_row_ || !share_sets(call_.x));
    for (std::size_t r = begin; r < end; r += rows_) {
      rows_ = are_many && end - r > most_staged ? several(end - r, std::max<std::size_t>(n_, 256))
                                                : std::min(most_staged, end - r);
      padded_ = (rows_ + unit - 1) / unit * unit;
      T* buffer = first();
      x_ = brought(call_.x, r, displaces(call_.x), buffer);
      if (is_backward(call_)) g_ = brought(call_.g, r, displaces(call_.g), buffer);
      // The output may overwrite an input, except where gradients may have to be computed again from it. Doubles are
      // written in long runs if x is in a buffer.
      const bool is_again = is_backward(call_) && is_single,
                 is_staged = rows_ != padded_ || is_overwritten(call_) || !is_in_place(call_, call_.result) ||
                             (is_backward(call_) && !is_single && x_.step == pitch);
      result_ = is_staged ? Columns{is_again ? buffer : first(), pitch} : in_memory(call_.result, r);
      some(r);
      if (is_staged) bring<simd::Vec<Isa, T>, Way::out>(rectangle(call_.result, r), result_.data, pitch);
    }
  }

 private:
  using Row = simd::Vec<Isa, T>;
  /// Returns how many of so many rows in memory to compute together, in whole units but for the last ones. Long runs
  /// are read fastest, and short columns stay in the cache until they are written.
  static std::size_t several(std::size_t rows, std::size_t n) {
    const std::size_t some = std::min(std::clamp<std::size_t>(n, 128, most_rows), rows);
    return some > unit ? some / unit * unit : some;
  }
  /// The first buffer.
  static T* first() { return Scratch<T>::of_thread() + Scratch<T>::sums + across_size; }
  template <class S = T>
  static ColumnsOf<S> in_memory(const Segments& array, std::size_t r) {
    return {reinterpret_cast<S*>(array.rows.at(r, 0)), array.rows.element / std::ptrdiff_t{sizeof(S)}};
  }
  Rectangle rectangle(const Segments& array, std::size_t r) const {
    return {call_.format, array.rows.at(r, 0), array.rows.element, array.rows.row, n_, rows_};
  }
  /// Whether elements of a row share sets of the cache, and displace each other there.
  static bool share_sets(const Segments& array) { return array.rows.element % 4096 == 0; }
  /// Whether that happens before they are read again, as gradients do often.
  bool displaces(const Segments& array) const {
    return share_sets(array) && rows_ <= most_staged && is_backward(call_) && fits(call_);
  }
  /// The columns where they are or, from the next part of the buffer on, a copy.
  Columns brought(const Segments& array, std::size_t r, bool is_copied, T*& buffer) const {
    if (!is_copied && rows_ == padded_ && is_in_place(call_, array)) return in_memory(array, r);
    const Columns copy = {buffer, pitch};
    bring<Row, Way::in>(rectangle(array, r), buffer, pitch);
    buffer += n_ * pitch;
    return copy;
  }

  /// Calls body(j, count) for each block of the columns.
  template <class Body>
  void each_block(Body body) const {
    for (std::size_t j = 0; j < n_; j += sum_block) body(j, std::min(sum_block, n_ - j));
  }
  /// The numbers of an operand for each element of all rows, or null.
  const T* of_elements(const Operand& o) const { return per_row_ ? nullptr : static_cast<const T*>(o.data); }

  void some(std::size_t r) {
    find_statistics(r, x_);
    if (is_backward(call_)) return differentiate(r);
    write(static_cast<const Narrow<T>&>(of_rows_), x_, result_, padded_, n_);
  }
  template <class S>
  void find_statistics(std::size_t r, ColumnsOf<S> x) {
    call_.pass == NormPass::given ? of_rows_.take(r, rows_) : measure(x);
    of_rows_.narrow(r, rows_, padded_);
    of_rows_.give(call_, r, rows_);
  }

  /// Sums over rows: add(sums, chains, groups, j, n) adds n elements from j on. `chains` is memory for add_columns.
  template <class X, class Add>
  void sweep(X* totals, Add add) const {
    const std::size_t groups = padded_ / 8, places = std::min<std::size_t>(8, n_);
    static_assert(12 * most_staged / 8 * sizeof(X) <= Scratch<T>::sums * sizeof(T));
    static_assert(12 * most_rows / 8 * sizeof(X) <= (Scratch<T>::size - across_size) * sizeof(T));
    // More rows than are staged are in memory, and leave the buffers to the sums.
    X* const sums = reinterpret_cast<X*>(rows_ > most_staged ? first() : Scratch<T>::of_thread());
    X* const chains = sums + 8 * groups;
    std::fill_n(sums, places * groups, X{});
    each_block([&](std::size_t j, std::size_t n) { add(sums, chains, groups, j, n); });
    fold_vectors([](X a, X b) { return a + b; }, sums, places, groups);
    std::copy_n(sums, groups, totals);
  }

  template <class S>
  void measure(ColumnsOf<S> x) {
    of_rows_.measure(padded_, [&]<class X>(X* totals, bool chooses_shift) {
      if (chooses_shift) {
        const std::size_t count = std::min(n_, sum_block);
        for (std::size_t i = 0; i < padded_; i += 8) {
          const auto at = [&](std::size_t j) { return eight<D>(x.at(j, i), eight_); };
          of_rows_.set_shifts(i, of_rows_.typical(at(0), at(count / 2), at(count - 1)));
        }
      }
      sweep(totals, [&](X* sums, X* chains, std::size_t groups, std::size_t j, std::size_t n) {
        add_moments(sums, chains, groups, ColumnsOf<S>{x.at(j, 0), x.step}, n, of_rows_);
      });
    });
  }
  template <class X, class S>
  [[gnu::flatten, gnu::noinline]] static void add_moments(X* sums, X* chains, std::size_t groups, ColumnsOf<S> x,
                                                          std::size_t n, const Statistics<Isa, T>& s) {
    add_columns<Isa, sum_unit>(
        sums, chains, groups, n, x.step == pitch ? sum_block : 8,
        [&](std::size_t i) { return s.measure(SomeRows{8 * i}); }, [](X& sum, const Measure<D>& by) { sum.begin(by); },
        [&](X& sum, const Measure<D>& by, std::size_t j, std::size_t i) {
          sum.add(eight<D>(x.at(j, 8 * i), eight_), by);
        },
        [](X& sum, const Measure<D>& by) { sum.settle(by); });
  }

  /// Writes some rows: of those in memory one element after another, which is how memory is written fastest.
  template <Form form, class S, class Numbers>
  [[gnu::flatten, gnu::noinline]] void forward(const Numbers& numbers, ColumnsOf<S> x, ColumnsOf<S> y, std::size_t rows,
                                               std::size_t n) const {
    constexpr bool is_across = std::is_same_v<Numbers, Across>;
    using W = simd::Vec<Isa, T,
                        is_across ? 128 / sizeof(T) / Isa::template size<T> : sizeof(V) / sizeof(typename V::Register)>;
    const T *const gammas = of_elements(call_.gamma), *const betas = of_elements(call_.beta);
    const auto at = [](const T* of_elements, std::size_t j, double none) {
      return W(of_elements == nullptr ? none : static_cast<double>(of_elements[j]));
    };
    const auto write = [&](std::size_t first, std::size_t end, std::size_t i, auto... lanes) {
      const Forward<form, W> formula(numbers, SomeRows{i});
      for (std::size_t j = first; j < end; ++j) {
        formula(
            W::load(x.at(j, i), lanes...), [&] { return at(gammas, j, 1.0); }, [&] { return at(betas, j, -0.0); })
            .store(y.at(j, i), lanes...);
      }
    };
    for (std::size_t j = 0, end; j < n; j = end) {
      end = is_across ? j + 1 : n;
      std::size_t i = 0;
      for (; i + W::size <= rows; i += W::size) write(j, end, i);
      if (i < rows) write(j, end, i, rows - i);
    }
  }

  template <class S, class Numbers>
  void write(const Numbers& numbers, ColumnsOf<S> x, ColumnsOf<S> y, std::size_t rows, std::size_t n) const {
    constexpr std::array of_form = {&NormColumns::forward<Form::affine, S, Numbers>,
                                    &NormColumns::forward<Form::scaled, S, Numbers>,
                                    &NormColumns::forward<Form::full, S, Numbers>};
    (this->*of_form[static_cast<std::size_t>(form_of(call_))])(numbers, x, y, rows, n);
  }

  /// Normalizes rows that are side by side, as many at a time as a long run in memory has. Only what has to be measured
  /// and is not of the type T is copied.
  void across(std::size_t begin, std::size_t end) {
    Across& numbers = *reinterpret_cast<Across*>(Scratch<T>::of_thread() + Scratch<T>::sums);
    for (std::size_t r = begin; r < end; r += most_across) {
      const std::size_t rows = std::min(most_across, end - r);
      with_type(call_.format, [&]<class S>(S*) {
        if constexpr (std::is_same_v<T, double> == std::is_same_v<S, double>) {
          for (std::size_t i = 0; i < rows; i += rows_) {
            rows_ = several(rows - i, n_);
            padded_ = (rows_ + unit - 1) / unit * unit;
            if (rows_ == padded_ || call_.pass == NormPass::given) {
              find_statistics(r + i, in_memory<S>(call_.x, r + i));
            } else {
              T* buffer = first();
              find_statistics(r + i, brought(call_.x, r + i, false, buffer));
            }
            of_rows_.copy(padded_, numbers, i);
          }
          ColumnsOf<S> x = in_memory<S>(call_.x, r), y = in_memory<S>(call_.result, r);
          const std::size_t many = joined(call_, rows), count = many * rows;
          if (many > 1) {
            for (std::size_t i = rows; i < count + unit; i *= 2)
              numbers.copy(std::min(i, count + unit - i), numbers, i);
            const auto run = static_cast<std::ptrdiff_t>(count);
            write(numbers, ColumnsOf<S>{x.data, run}, ColumnsOf<S>{y.data, run}, count, n_ / many);
          }
          const std::size_t rest = many > 1 ? n_ % many : n_;
          x.data = x.at(n_ - rest, 0), y.data = y.at(n_ - rest, 0);
          write(numbers, x, y, rows, rest);
        }
      });
    }
  }

  void differentiate(std::size_t r) {
    std::array<P, most_rows / 8> sums;
    sweep(sums.data(), [&](P* of_places, P* chains, std::size_t groups, std::size_t j, std::size_t n) {
      constexpr std::array of_norm = {&NormColumns::add_projections<Norm::layer>,
                                      &NormColumns::add_projections<Norm::rms>,
                                      &NormColumns::add_projections<Norm::batch>};
      (this->*of_norm[static_cast<std::size_t>(call_.norm)])(of_places, chains, groups, j, n);
    });
    for (std::size_t i = 0; i < rows_; i += 8) slopes_.set(call_, r, i, rows_, of_rows_, sums[i / 8]);
    for (std::size_t j = 0; j < n_ && !per_row_; j += 8) add_rows(j, std::min<std::size_t>(8, n_ - j));
    each_block([&](std::size_t j, std::size_t count) {
      if constexpr (is_single) {
        single_backward(j, count);
      } else {
        for (std::size_t i = 0; i < padded_; i += 8) wide_backward(i, j, count);
      }
    });
  }
  template <Norm norm>
  [[gnu::flatten, gnu::noinline]] void add_projections(P* sums, P* chains, std::size_t groups, std::size_t first,
                                                       std::size_t n) const {
    using Standardized = StandardizeWide<T, D>;
    const T* const gammas = of_elements(call_.gamma);
    const std::size_t at_once = x_.step == pitch && g_.step == pitch ? sum_block : 8;
    add_columns<Isa, 8>(
        sums, chains, groups, n, at_once, [&](std::size_t i) { return Standardized(of_rows_, SomeRows{8 * i}); },
        [](P& sum, const Standardized&) { sum = {}; },
        [&](P& sum, const Standardized& standardized, std::size_t at, std::size_t i) {
          const std::size_t j = first + at;
          const D gamma = gammas == nullptr ? 1.0 : static_cast<double>(gammas[j]);
          const D g = eight<D>(g_.at(j, 8 * i), eight_), h = norm == Norm::batch ? g : g * gamma;
          if constexpr (norm != Norm::rms) sum.h.add(h);
          sum.hx.add_product(h, standardized(eight<D>(x_.at(j, 8 * i), eight_)));
        },
        [](P&, const Standardized&) {});
  }
  /// Adds the rows in turn to the gradients of gamma and beta, for `count` elements of the rows, eight at most. Beyond
  /// them, the last element takes the place of the missing ones.
  [[gnu::flatten, gnu::noinline]] void add_rows(std::size_t first, std::size_t count) const {
    const ColumnSums<T, D> of_gamma = {call_.first, n_}, of_beta = {call_.second, n_};
    Total<T, D> dgamma = of_gamma.load(first, count), dbeta = {};
    if (centered_) dbeta = of_beta.load(first, count);
    for (std::size_t i = 0; i < rows_; i += 8) {
      const StandardizeWide<T, D> standardized(of_rows_, SomeRows{i});
      std::array<D, 8> g, hi, lo;
      for (std::size_t k = 0; k < 8; ++k) {
        const std::size_t j = first + std::min(k, count - 1);
        g[k] = eight<D>(g_.at(j, i), eight_);
        const math::Pair<D> normed = standardized(eight<D>(x_.at(j, i), eight_));
        hi[k] = normed.hi, lo[k] = normed.lo;
      }
      transpose(g), transpose(hi);
      if constexpr (!is_single) transpose(lo);
      const std::size_t some = std::min<std::size_t>(8, rows_ - i);
      for (std::size_t k = 0; k < some; ++k) {
        dgamma.add_product(g[k], {hi[k], lo[k]});
        if (centered_) dbeta.add(g[k]);
      }
    }
    of_gamma.store(dgamma, first, count);
    if (centered_) of_beta.store(dbeta, first, count);
  }

  /// Writes the gradients of a block, in float: of all rows for a few elements at a time, so that the lines of memory
  /// are written one after another. Where a number is not finite, the row is computed again in double.
  void single_backward(std::size_t j, std::size_t n) const {
    std::array<V, most_rows / V::size> checks = {};
    for (std::size_t k = j; k < j + n; k += fetched_) {
      for (std::size_t i = 0; i < padded_; i += V::size) {
        single_backward(i, k, std::min(fetched_, j + n - k), checks[i / V::size]);
      }
    }
    for (std::size_t i = 0; i < padded_; i += V::size) {
      const V check = checks[i / V::size];
      if (all(check == V(0.0))) continue;
      T is_finite[V::size];
      check.store(is_finite);
      for (std::size_t c = 0; c < V::size; c += 8) wide_backward(i + c, j, n, is_finite + c);
    }
  }
  [[gnu::flatten, gnu::noinline]] void single_backward(std::size_t i, std::size_t j, std::size_t n, V& of_all) const {
    const SingleSlope<V> slope(of_rows_, slopes_, SomeRows{i});
    const T* const gammas = of_elements(call_.gamma);
    V check = of_all, gamma = 1.0;
    for (std::size_t k = j; k < j + n; ++k) {
      for (std::size_t c = 0; c < V::size; c += 16) simd::prefetch(result_.at(k + fetched_, i + c));
      if (gammas != nullptr) gamma = static_cast<double>(gammas[k]);
      const V y = slope(V::load(x_.at(k, i)), V::load(g_.at(k, i)), gamma);
      check = math::nan_unless_finite(y, check);
      y.store(result_.at(k, i));
    }
    of_all = check;
  }
  /// The same in double, for eight rows, or for those of them whose `check` is not 0.
  [[gnu::flatten, gnu::noinline]] void wide_backward(std::size_t i, std::size_t j, std::size_t n,
                                                     const T* check = nullptr) const {
    const Slope<T, D> slope(of_rows_, slopes_, SomeRows{i});
    const T* const gammas = of_elements(call_.gamma);
    for (std::size_t k = j; k < j + n; ++k) {
      const D gamma = gammas == nullptr ? 1.0 : static_cast<double>(gammas[k]);
      T y[8];
      store_eight(slope(eight<D>(x_.at(k, i), eight_), eight<D>(g_.at(k, i), eight_), gamma), y, eight_);
      for (std::size_t c = 0; c < 8; ++c) {
        if (check == nullptr || check[c] != 0) *result_.at(k, i + c) = y[c];
      }
    }
  }
};

}  // namespace
}  // namespace fastact::kernels
