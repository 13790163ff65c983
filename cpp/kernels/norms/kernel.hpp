// The kernels of norms: a few rows at a time are copied to buffers if necessary, measured and normalized.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <iterator>

#include "kernels/interface.hpp"
#include "kernels/norms/columns.hpp"
#include "kernels/norms/lines.hpp"
#include "kernels/norms/normalize.hpp"
#include "kernels/norms/sums.hpp"

namespace fastact::kernels {
// Internal linkage gives each instruction set code of its own: none may run what was compiled for another.
namespace {

template <class Isa, class T>
class NormRows {
  using Row = simd::Vec<Isa, T>;
  using Lines = NormLines<Row>;
  using D = Eight<Isa>;
  using Lanes = simd::Vec<Isa, double, 1>;
  using P = Projections<Total<T, D>>;
  // The portable kernel gains nothing from several rows, because their sums do not stay in registers.
  static constexpr std::size_t most_lines = 128 / sizeof(T), rows_projected = Isa::template size<T> > 1 ? 4 : 1;

  const NormCall& call_;
  const std::size_t n_ = call_.length;
  const bool per_row_ = call_.norm == Norm::batch, backward_ = call_.pass == NormPass::backward;
  /// Whether gamma and beta are the same for all elements of a row.
  const bool is_uniform_ = form_of(call_) == Form::affine;
  /// Whether rows are normalized where they are, because they are contiguous in whatever format.
  const bool is_direct_ = !backward_ && is_contiguous(call_.x) && is_contiguous(call_.result);
  std::size_t rows_, stretch_, pitch_;  // rows and elements of each row in a buffer at a time, and its line length
  Lines x_, g_, result_;
  alignas(64) T ones_[sum_block], zeros_[sum_block], little_[4096];
  Statistics<Isa, T> of_rows_{call_};
  Slopes<T> slopes_;

 public:
  explicit NormRows(const NormCall& call) : call_(call) {}

  void operator()(std::size_t begin, std::size_t end) {
    if (call_.gamma.data == nullptr) std::fill_n(ones_, std::min(n_, sum_block), T{1});
    if (call_.beta.data == nullptr)
      std::fill_n(zeros_, std::min(n_, sum_block), -T{0});  // the sum with -0 changes no number, not even -0

    const Segments* const arrays[] = {&call_.x, &call_.result, &call_.g};
    std::size_t buffers = 0;
    bool across = false;
    for (std::size_t k = 0; k < (backward_ ? 3 : 2); ++k) {
      if (is_direct_ && (k == 1 || call_.pass == NormPass::given)) continue;
      const bool in_place = Lines::are_in_place(*arrays[k], call_);
      buffers += !in_place;
      across = across || (!in_place && std::abs(arrays[k]->rows.row) < std::abs(arrays[k]->rows.element));
    }
    T* scratch = Scratch<T>::of_thread();
    const std::size_t room = scratch != nullptr ? Scratch<T>::size : std::size(little_);
    // If rows lie side by side, enough of them are read at a time that a run in memory is worth fetching. Otherwise the
    // rows fit into the first-level cache, unless there are sums of columns: these are loaded and stored once for
    // several rows, which saves more time than the cache does. The statistics of many short rows of floats are computed
    // side by side.
    const std::size_t fewest = backward_ && !per_row_ && buffers == 0 ? rows_projected : 1;
    const std::size_t most = std::is_same_v<T, double> ? 8 : most_lines;
    rows_ = scratch == nullptr ? 1 : across ? most_lines : std::clamp<std::size_t>(8192 / n_, fewest, most);
    const auto whole = [](std::size_t length) { return length / sum_block * sum_block; };
    stretch_ = buffers == 0 ? n_ : std::min(n_, whole(room / (rows_ * buffers) - sum_unit));
    pitch_ = (stretch_ + sum_unit - 1) / sum_unit * sum_unit + sum_unit / 2;  // no power of two
    T* buffer = scratch != nullptr ? scratch : little_;
    const auto lines = [&](const Segments& array) {
      const Lines made(array, call_, buffer, pitch_);
      if (!Lines::are_in_place(array, call_)) buffer += rows_ * pitch_;
      return made;
    };
    if (!is_direct_ || call_.pass != NormPass::given) x_ = lines(call_.x);
    result_ = is_direct_ ? x_ : lines(call_.result);
    g_ = backward_ ? lines(call_.g) : x_;
    for (std::size_t r = begin; r < end; r += rows_) some(r, std::min(rows_, end - r));
  }

 private:
  bool is_contiguous(const Segments& array) const {
    return array.rows.element == size_of(call_.format) && call_.segment >= n_;
  }
  /// Calls body(begin, end) for stretches of some rows. Rows that fit into the buffers are read and written only once.
  template <class Body>
  void each_stretch(std::size_t r, std::size_t rows, bool reads, bool writes, Body body) const {
    for (std::size_t s = 0; s < n_; s += stretch_) {
      const std::size_t end = std::min(n_, s + stretch_);
      if (reads || stretch_ < n_) {
        x_.read(r, s, rows, end - s);
        if (backward_) g_.read(r, s, rows, end - s);
      }
      body(s, end);
      if (writes) result_.write(r, s, rows, end - s);
    }
  }

  /// Calls body(begin, j, count) for each block of some rows, from element j on, in a stretch from element `begin` on.
  template <class Body>
  void each_block(std::size_t r, std::size_t rows, bool reads, bool writes, Body body) const {
    each_stretch(r, rows, reads, writes, [&](std::size_t begin, std::size_t end) {
      for (std::size_t j = begin; j < end; j += sum_block) body(begin, j, std::min(sum_block, end - j));
    });
  }

  void some(std::size_t r, std::size_t rows) {
    if (call_.pass == NormPass::given) {
      of_rows_.take(r, rows);
    } else {
      measure(r, rows);
    }
    of_rows_.narrow(r, rows, rows);
    if (backward_) return differentiate(r, rows);
    if (is_direct_) {
      with_type(call_.format, [&]<class S>(S*) {
        if constexpr (std::is_same_v<T, double> == std::is_same_v<S, double>) {
          const auto block = [&](const Segments& array, std::size_t j) {
            return Block<S>{reinterpret_cast<S*>(array.rows.at(r, j)), array.rows.row / std::ptrdiff_t{sizeof(S)}};
          };
          for (std::size_t j = 0; j < n_; j += sum_block) {
            forward(rows, j, std::min(sum_block, n_ - j), block(call_.x, j), block(call_.result, j));
          }
        }
      });
    } else {
      each_block(r, rows, call_.pass == NormPass::given, true, [&](std::size_t begin, std::size_t j, std::size_t n) {
        forward(rows, j, n, x_.from(r, 0, begin, j), result_.from(r, 0, begin, j));
      });
    }
    of_rows_.give(call_, r, rows);
  }
  template <class S>
  void forward(std::size_t rows, std::size_t j, std::size_t n, Block<S> from, Block<S> to) const {
    using N = NormalizeForward<Isa, T>;
    constexpr std::array of_form = {N::template run<Form::affine, S>, N::template run<Form::scaled, S>,
                                    N::template run<Form::full, S>};
    of_form[static_cast<std::size_t>(form_of(call_))](from, of(call_.gamma, ones_, 0, j), of(call_.beta, zeros_, 0, j),
                                                      to, rows, n, of_rows_);
  }
  /// Returns gamma or beta from element j of a row on.
  const T* of(const Operand& o, const T* constants, std::size_t row, std::size_t j) const {
    if (o.data == nullptr) return constants;
    return reinterpret_cast<const T*>(per_row_ ? o.at(row, 0) : static_cast<char*>(o.data) + j * sizeof(T));
  }

  void measure(std::size_t r, std::size_t rows) {
    bool reads = true;
    of_rows_.measure(rows, [&]<class X>(X* sums, bool chooses_shift) {
      std::array<X, most_lines> of_line;
      each_block(r, rows, reads, false, [&](std::size_t begin, std::size_t j, std::size_t n) {
        const Block<T> block = x_.from(r, 0, begin, j);
        for (std::size_t i = 0; j == 0 && chooses_shift && i < rows; ++i) {
          const T* const x = block.line(i);
          of_rows_.set_shift(i, of_rows_.typical(x[0], x[n / 2], x[n - 1]));
        }
        add_moments(of_line.data(), block, rows, n, of_rows_, j == 0);
      });
      reads = false;
      fold(of_line.data(), rows, sums);
    });
  }
  /// Joins the eight sums of each line.
  template <class X>
  [[gnu::noinline]] static void fold(const X* of_line, std::size_t rows, X* sums) {
    for (std::size_t i = 0; i < rows; i += 8) {
      sums[i / 8] = fold_lanes<D>([](X a, X b) { return a + b; }, of_line + i);
    }
  }

  /// Adds a block of each of some rows to their moments, which it begins if the block is the first one.
  template <class X>
  [[gnu::flatten, gnu::noinline]] static void add_moments(X* of_line, Block<T> block, std::size_t rows, std::size_t n,
                                                          const Statistics<Isa, T>& s, bool is_first) {
    for (std::size_t row = 0; row < rows; ++row) {
      const T* const x = block.line(row);
      const Measure<D> by = s.measure(OneRow{row});
      std::array<X, sum_chains> chain;
      for (X& m : chain) m.begin(by);
      each_eight(n, [&](std::size_t i, std::size_t j, auto count) {
        if constexpr (std::is_same_v<decltype(count), std::size_t>) {
          const auto is_there = D::indices() < D(static_cast<double>(count));
          chain[i].add(eight<D>(x + j, count), {by.scale, select(is_there, by.shift, D(0.0)), by.start});
        } else {
          chain[i].add(eight<D>(x + j, count), by);
        }
      });
      for (X& m : chain) m.settle(by);
      of_line[row] = is_first ? joined(chain) : of_line[row] + joined(chain);
    }
  }

  /// Adds a block of each of a few rows to the sums of the rows and to those of the columns. The lanes of a line's sums
  /// are computed a register at a time, which leaves registers for several rows, and for a part of the block at a time,
  /// so that it stays in the first-level cache with the sums of the columns.
  template <std::size_t count, Norm norm>
  [[gnu::flatten, gnu::noinline]] static void add_projections(P* sums, Block<T> x, Block<T> g, const T* gamma,
                                                              std::size_t n, const Standards<T>& s, std::size_t i,
                                                              ColumnSums<T, Lanes> dgamma, ColumnSums<T, Lanes> dbeta) {
    using Sum = Total<T, Lanes>;
    using Few = Projections<Sum>;
    constexpr bool per_row = norm == Norm::batch, centered = norm != Norm::rms;
    constexpr std::size_t parts = 8 / Lanes::size;
    std::array<std::array<Few, parts>, count> of_row = {};
    std::array<StandardizeWide<T, Lanes>, count> standardized;
    for (std::size_t r = 0; r < count; ++r) standardized[r] = StandardizeWide<T, Lanes>(s, OneRow{i + r});
    const auto add = [&](std::array<Few, count>& p, std::size_t j, auto some) {
      const Lanes factor = per_row ? Lanes(1.0) : eight<Lanes>(gamma + j, some);
      Sum of_gamma = {}, of_beta = {};
      if constexpr (!per_row) of_gamma = dgamma.load(j, some);
      if constexpr (!per_row && centered) of_beta = dbeta.load(j, some);
      for (std::size_t r = 0; r < count; ++r) {
        math::Pair<Lanes> normed = standardized[r](eight<Lanes>(x.line(r) + j, some));
        if constexpr (std::is_same_v<decltype(some), std::size_t>) {
          // Lanes beyond the end of the row may hold an infinity, whose product with 0 would be NaN.
          normed = math::select(Lanes::indices() < Lanes(static_cast<double>(some)), normed, {0.0, 0.0});
        }
        const Lanes gradient = eight<Lanes>(g.line(r) + j, some), h = per_row ? gradient : gradient * factor;
        if constexpr (centered) p[r].h.add(h);
        p[r].hx.add_product(h, normed);
        if constexpr (!per_row) of_gamma.add_product(gradient, normed);
        if constexpr (!per_row && centered) of_beta.add(gradient);
      }
      if constexpr (!per_row) dgamma.store(of_gamma, j, some);
      if constexpr (!per_row && centered) dbeta.store(of_beta, j, some);
    };
    constexpr std::size_t at_once = parts == 1 ? sum_block : sum_block / 4;
    for (std::size_t begin = 0; begin < n; begin += at_once) {
      const std::size_t end = std::min(n, begin + at_once);
      for (std::size_t c = 0; c < parts; ++c) {
        std::array<Few, count> p;
        for (std::size_t r = 0; r < count; ++r) p[r] = of_row[r][c];
        std::size_t j = begin + Lanes::size * c;
        for (; j + Lanes::size <= end; j += 8) add(p, j, std::integral_constant<std::size_t, 8>{});
        if (j < end) add(p, j, end - j);
        for (std::size_t r = 0; r < count; ++r) of_row[r][c] = p[r];
      }
    }
    for (std::size_t r = 0; r < count; ++r) {
      std::array<Lanes, sizeof(P) / sizeof(Lanes)> lanes;
      for (std::size_t c = 0; c < parts; ++c) {
        const auto few = vectors<Lanes>(of_row[r][c]);
        for (std::size_t k = 0; k < few.size(); ++k) lanes[k * parts + c] = few[k];
      }
      sums[r] = sums[r] + std::bit_cast<P>(lanes);
    }
  }

  void differentiate(std::size_t r, std::size_t rows) {
    std::array<P, most_lines> projections;
    std::fill_n(projections.data(), (rows + 7) / 8 * 8, P{});  // eight rows are folded together
    each_stretch(r, rows, false, false, [&](std::size_t begin, std::size_t end) {
      const auto at = [this](double* sums, std::size_t j) { return per_row_ || sums == nullptr ? nullptr : sums + j; };
      for (std::size_t j = begin; j < end; j += sum_block) {
        const auto add = [&](std::size_t i, auto some) {
          constexpr std::array of_norm = {add_projections<some, Norm::layer>, add_projections<some, Norm::rms>,
                                          add_projections<some, Norm::batch>};
          of_norm[static_cast<std::size_t>(call_.norm)](
              &projections[i], x_.from(r, i, begin, j), g_.from(r, i, begin, j), of(call_.gamma, ones_, r + i, j),
              std::min(sum_block, end - j), of_rows_, i, {at(call_.first, j), n_}, {at(call_.second, j), n_});
        };
        std::size_t i = 0;
        for (; i + rows_projected <= rows; i += rows_projected) {
          add(i, std::integral_constant<std::size_t, rows_projected>{});
        }
        for (; i < rows; ++i) add(i, std::integral_constant<std::size_t, 1>{});
      }
    });
    std::array<P, most_lines / 8> sums;
    fold(projections.data(), rows, sums.data());
    for (std::size_t i = 0; i < rows; i += 8) slopes_.set(call_, r, i, rows, of_rows_, sums[i / 8]);
    const auto backward = is_uniform_ ? Normalize<Isa, T, true>::backward : Normalize<Isa, T, false>::backward;
    each_block(r, rows, false, true, [&](std::size_t begin, std::size_t j, std::size_t n) {
      backward(x_.from(r, 0, begin, j), g_.from(r, 0, begin, j), of(call_.gamma, ones_, r, j),
               result_.from(r, 0, begin, j), rows, n, of_rows_, slopes_);
    });
  }
};

template <class Isa, class T>
void norm(const NormCall& call, std::size_t begin, std::size_t end) {
  if (call.length == 0) return;
  std::size_t border = begin;
  if constexpr (Isa::template size<T> > 1) {  // without vectors, contiguous rows are no faster
    using Columns = NormColumns<Isa, T>;
    border += Columns::count(call, end - begin);
    if (begin < border) Columns{call}(begin, border);
  }
  if (border < end) NormRows<Isa, T>{call}(border, end);
}

/// The kernels of norms for one instruction set.
template <class Isa>
constexpr NormEntry norm_entry() {
  return {norm<Isa, float>, norm<Isa, double>};
}

}  // namespace
}  // namespace fastact::kernels
