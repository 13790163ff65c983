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

template <class Isa, class T, NormShape shape, NormPass pass>
class NormKernelOf {
  using Normal = Normalize<Isa, T, shape>;
  using Row = simd::Vec<Isa, T>;
  using D = Eight<Isa>;
  static constexpr bool backward = pass == NormPass::backward, is_single = std::is_same_v<T, float>;
  using P = Projections<Total<T, D>>;
  static constexpr std::size_t most_lines = 128 / sizeof(T), rows_projected = 4;

  const NormCall& call_;
  const std::size_t n_ = call_.length;
  std::size_t rows_, stretch_, pitch_;  // rows and elements of each row in a buffer at a time, and its line length
  alignas(64) T ones_[sum_block], zeros_[sum_block], little_[4096];
  Statistics<Isa, T, shape.centered> of_rows_{n_, call_.eps};
  Slopes<T> slopes_;

 public:
  explicit NormKernelOf(const NormCall& call) : call_(call) {}

  void operator()(std::size_t begin, std::size_t end) {
    if (n_ == 0) return;
    const std::size_t constants = shape.per_row ? 1 : std::min(n_, sum_block);
    if (call_.gamma.data == nullptr) std::fill_n(ones_, constants, T{1});
    if (call_.beta.data == nullptr)
      std::fill_n(zeros_, constants, -T{0});  // the sum with -0 changes no number, not even -0

    const Segments* const arrays[] = {&call_.x, &call_.result, &call_.g};
    constexpr std::size_t count = backward ? 3 : 2;
    std::size_t buffers = 0;
    bool across = false;
    for (std::size_t k = 0; k < count; ++k) {
      const bool in_place = NormLines<Row>::are_in_place(*arrays[k], call_);
      buffers += !in_place;
      across = across || (!in_place && std::abs(arrays[k]->rows.row) < std::abs(arrays[k]->rows.element));
    }
    T* scratch = Scratch<T>::of_thread();
    const std::size_t room = scratch != nullptr ? Scratch<T>::size : std::size(little_);
    // If rows lie side by side, enough of them are read at a time that a run in memory is worth fetching. Otherwise the
    // rows fit into the first-level cache, unless there are sums of columns: these are loaded and stored once for
    // several rows, which saves more time than the cache does.
    const std::size_t fewest = backward && !shape.per_row && buffers == 0 ? rows_projected : 1;
    rows_ = scratch == nullptr ? 1 : across ? most_lines : std::clamp<std::size_t>(8192 / n_, fewest, 8);
    const auto whole = [](std::size_t length) { return length / sum_block * sum_block; };
    stretch_ = buffers == 0 ? n_ : std::min(n_, whole(room / (rows_ * buffers) - sum_unit));
    pitch_ = (stretch_ + sum_unit - 1) / sum_unit * sum_unit + sum_unit / 2;  // no power of two
    T* buffer = scratch != nullptr ? scratch : little_;
    const auto lines = [&](const Segments& array) {
      const NormLines<Row> made(array, call_, buffer, pitch_);
      if (!NormLines<Row>::are_in_place(array, call_)) buffer += rows_ * pitch_;
      return made;
    };
    const NormLines<Row> x = lines(call_.x), result = lines(call_.result), g = backward ? lines(call_.g) : x;
    for (std::size_t r = begin; r < end; r += rows_) some(r, std::min(rows_, end - r), x, g, result);
  }

 private:
  using Lines = NormLines<Row>;

  /// Calls body(begin, end) for stretches of some rows. Rows that fit into the buffers are read and written only once.
  template <class Body>
  void each_stretch(std::size_t r, std::size_t rows, const Lines& x, const Lines& g, const Lines& result, bool reads,
                    bool writes, Body body) const {
    const bool is_whole = stretch_ >= n_;
    for (std::size_t s = 0; s < n_; s += stretch_) {
      const std::size_t end = std::min(n_, s + stretch_);
      if (reads || !is_whole) {
        x.read(r, s, rows, end - s);
        if constexpr (backward) g.read(r, s, rows, end - s);
      }
      body(s, end);
      if (writes) result.write(r, s, rows, end - s);
    }
  }

  /// Calls body(row, j, count, x, g, result) for each block of some rows.
  template <class Body>
  void each_block(std::size_t r, std::size_t rows, const Lines& x, const Lines& g, const Lines& result, bool reads,
                  bool writes, Body body) const {
    each_stretch(r, rows, x, g, result, reads, writes, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = begin; j < end; j += sum_block) {
          body(i, j, std::min(sum_block, end - j), x.at(r, i, begin, j), g.at(r, i, begin, j),
               result.at(r, i, begin, j));
        }
      }
    });
  }

  void some(std::size_t r, std::size_t rows, const Lines& x, const Lines& g, const Lines& result) {
    if constexpr (pass == NormPass::given) {
      of_rows_.take(rows, call_.first + r, call_.second + r);
    } else {
      measure(r, rows, x, g, result);
    }
    if constexpr (backward) {
      differentiate(r, rows, x, g, result);
    } else {
      each_block(r, rows, x, g, result, pass == NormPass::given, true,
                 [&](std::size_t i, std::size_t j, std::size_t count, const T* from, const T*, T* to) {
                   Normal::forward(from, of(call_.gamma, ones_, r + i, j), of(call_.beta, zeros_, r + i, j), to, count,
                                   of_rows_, i);
                 });
      if constexpr (shape.per_row && pass == NormPass::forward) {
        for (std::size_t i = 0; i < rows; ++i) {
          call_.first[r + i] = of_rows_.mean[i] / of_rows_.scale[i], call_.second[r + i] = of_rows_.variance[i];
        }
      }
    }
  }
  /// Returns gamma or beta from element j of a row on.
  static const T* of(const Operand& o, const T* constants, std::size_t row, std::size_t j) {
    if (o.data == nullptr) return constants;
    return reinterpret_cast<const T*>(shape.per_row ? o.at(row, 0) : static_cast<char*>(o.data) + j * sizeof(T));
  }

  void measure(std::size_t r, std::size_t rows, const Lines& x, const Lines& g, const Lines& result) {
    bool reads = true;
    of_rows_.measure(rows, [&]<class X>(X* sums, bool chooses_shift) {
      std::array<X, most_lines> of_line;
      each_block(r, rows, x, g, result, reads, false,
                 [&](std::size_t i, std::size_t j, std::size_t count, const T* from, const T*, T*) {
                   if (j == 0) of_line[i] = {};
                   if (j == 0 && chooses_shift && shape.centered) {
                     of_rows_.set_shift(i, of_rows_.typical(from[0], from[count / 2], from[count - 1]));
                   }
                   add_moments(of_line[i], from, count, of_rows_, i);
                 });
      reads = false;
      fold(of_line.data(), rows, sums);
    });
  }
  /// Joins the eight sums of each line.
  template <class X>
  static void fold(const X* of_line, std::size_t rows, X* sums) {
    for (std::size_t i = 0; i < rows; i += 8) {
      sums[i / 8] = fold_lanes<D>([](X a, X b) { return a + b; }, of_line + i);
    }
  }

  template <class X>
  [[gnu::flatten, gnu::noinline]] static void add_moments(X& sums, const T* from, std::size_t n,
                                                          const Statistics<Isa, T, shape.centered>& s,
                                                          std::size_t row) {
    const Measure<D> by = s.measure(OneRow{row});
    std::array<X, sum_chains> chain;
    for (X& m : chain) m.begin(by);
    each_eight(n, [&](std::size_t i, std::size_t j, auto count) {
      if constexpr (std::is_same_v<decltype(count), std::size_t>) {
        const auto is_there = D::indices() < D(static_cast<double>(count));
        chain[i].add(eight<D>(from + j, count), {by.scale, select(is_there, by.shift, D(0.0)), by.start});
      } else {
        chain[i].add(eight<D>(from + j, count), by);
      }
    });
    for (X& m : chain) m.settle(by);
    sums = sums + joined(chain);
  }

  /// Adds a block of each of a few rows to the sums of the rows and to those of the columns. A part of the block at a
  /// time goes through all chains of sums, so that it stays in the first-level cache with the sums of the columns.
  template <std::size_t count>
  [[gnu::flatten, gnu::noinline]] static void add_projections(P* sums, const T* const* x, const T* const* g,
                                                              const T* gamma, std::size_t n, const Standards<T>& s,
                                                              std::size_t i, ColumnSums<T, D> dgamma,
                                                              ColumnSums<T, D> dbeta) {
    std::array<std::array<P, sum_chains>, count> of_row = {};
    std::array<StandardizeWide<T, D>, count> standardized;
    for (std::size_t r = 0; r < count; ++r) standardized[r] = StandardizeWide<T, D>(s, OneRow{i + r});
    const auto add = [&](std::array<P, count>& p, std::size_t j, auto some) {
      const D factor = shape.per_row ? D(1.0) : eight<D>(gamma + j, some);
      Total<T, D> of_gamma = {}, of_beta = {};
      if constexpr (!shape.per_row) of_gamma = dgamma.load(j, some);
      if constexpr (!shape.per_row && shape.centered) of_beta = dbeta.load(j, some);
      for (std::size_t r = 0; r < count; ++r) {
        math::Pair<D> normed = standardized[r](eight<D>(x[r] + j, some));
        if constexpr (std::is_same_v<decltype(some), std::size_t>) {
          // Lanes beyond the end of the row may hold an infinity, whose product with 0 would be NaN.
          normed = math::select(D::indices() < D(static_cast<double>(some)), normed, {0.0, 0.0});
        }
        const D gradient = eight<D>(g[r] + j, some), h = shape.per_row ? gradient : gradient * factor;
        if constexpr (shape.centered) p[r].h.add(h);
        p[r].hx.add_product(h, normed);
        if constexpr (!shape.per_row) of_gamma.add_product(gradient, normed);
        if constexpr (!shape.per_row && shape.centered) of_beta.add(gradient);
      }
      if constexpr (!shape.per_row) dgamma.store(of_gamma, j, some);
      if constexpr (!shape.per_row && shape.centered) dbeta.store(of_beta, j, some);
    };
    constexpr std::size_t part = sum_block / 4;
    for (std::size_t begin = 0; begin < n; begin += part) {
      const std::size_t end = std::min(n, begin + part);
      for (std::size_t c = 0; c < sum_chains; ++c) {
        std::array<P, count> p;
        for (std::size_t r = 0; r < count; ++r) p[r] = of_row[r][c];
        std::size_t j = begin + 8 * c;
        for (; j + 8 <= end; j += sum_unit) add(p, j, std::integral_constant<std::size_t, 8>{});
        if (j < end) add(p, j, end - j);
        for (std::size_t r = 0; r < count; ++r) of_row[r][c] = p[r];
      }
    }
    for (std::size_t r = 0; r < count; ++r) sums[r] = sums[r] + joined(of_row[r]);
  }

  void differentiate(std::size_t r, std::size_t rows, const Lines& x, const Lines& g, const Lines& dx) {
    std::array<P, most_lines> projections;
    std::fill_n(projections.data(), rows, P{});
    each_stretch(r, rows, x, g, dx, false, false, [&](std::size_t begin, std::size_t end) {
      const auto at = [](double* sums, std::size_t j) { return shape.per_row || sums == nullptr ? nullptr : sums + j; };
      for (std::size_t j = begin; j < end; j += sum_block) {
        const auto add = [&](std::size_t i, auto some) {
          std::array<const T*, some> of_x, of_g;
          for (std::size_t k = 0; k < some; ++k) of_x[k] = x.at(r, i + k, begin, j), of_g[k] = g.at(r, i + k, begin, j);
          add_projections<some>(&projections[i], of_x.data(), of_g.data(), of(call_.gamma, ones_, r + i, j),
                                std::min(sum_block, end - j), of_rows_, i, {at(call_.first, j), n_},
                                {at(call_.second, j), n_});
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
    set_slopes(r, rows, sums.data());
    each_block(r, rows, x, g, dx, false, true,
               [&](std::size_t i, std::size_t j, std::size_t some, const T* of_x, const T* of_g, T* to) {
                 const T* const gamma = of(call_.gamma, ones_, r + i, j);
                 if constexpr (is_single) {
                   if (Normal::single_backward(of_x, of_g, gamma, to, some, of_rows_, slopes_, i)) return;
                 }
                 Normal::backward(of_x, of_g, gamma, to, some, of_rows_, slopes_, i);
               });
  }
  /// Computes the slopes of some rows and, where gamma is one for each row, the gradients of gamma and beta.
  void set_slopes(std::size_t r, std::size_t rows, const P* sums) {
    for (std::size_t i = 0; i < rows; i += 8) {
      const std::size_t some = std::min<std::size_t>(8, rows - i);
      const D h = shape.centered ? sums[i / 8].h.total() : D(0.0), hx = sums[i / 8].hx.total();
      const bool has_gamma = shape.per_row && call_.gamma.data != nullptr;
      slopes_.set(i, of_rows_, h, hx, D(static_cast<double>(n_)),
                  has_gamma ? eight<D>(of(call_.gamma, ones_, r + i, 0), some) : D(1.0));
      if constexpr (shape.per_row) hx.store(call_.first + r + i, some), h.store(call_.second + r + i, some);
    }
  }
};

template <class Isa, class T, NormShape shape, NormPass pass>
void norm(const NormCall& call, std::size_t begin, std::size_t end) {
  using Columns = NormColumns<Isa, T, shape, pass>;
  if (call.length == 0) return;
  std::size_t border = begin;
  if constexpr (Isa::template size<T> > 1) {  // without vectors, contiguous rows are no faster
    border += Columns::count(call, end - begin);
    if (begin < border) Columns{call}(begin, border);
  }
  if (border < end) NormKernelOf<Isa, T, shape, pass>{call}(border, end);
}

template <class Isa, NormShape shape>
constexpr NormEntry norm_entry() {
  NormEntry entry = {
      {norm<Isa, float, shape, NormPass::forward>, norm<Isa, float, shape, NormPass::backward>, nullptr},
      {norm<Isa, double, shape, NormPass::forward>, norm<Isa, double, shape, NormPass::backward>, nullptr}};
  if constexpr (shape.per_row) {
    entry.f32.back() = norm<Isa, float, shape, NormPass::given>;
    entry.f64.back() = norm<Isa, double, shape, NormPass::given>;
  }
  return entry;
}

/// All kernels of norms, for one instruction set.
template <class Isa>
constexpr NormTable norm_kernels() {
  return {norm_entry<Isa, NormShape{.per_row = false, .centered = true}>(),
          norm_entry<Isa, NormShape{.per_row = false, .centered = false}>(),
          norm_entry<Isa, NormShape{.per_row = true, .centered = true}>()};
}

}  // namespace
}  // namespace fastact::kernels
