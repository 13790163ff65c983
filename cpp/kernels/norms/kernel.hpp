// The kernels of norms: a few rows at a time are copied to buffers if necessary, measured and normalized.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <iterator>

#include "kernels/interface.hpp"
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
  using M = Moments<T, D, shape.centered>;
  static constexpr bool backward = pass == NormPass::backward, is_single = std::is_same_v<T, float>;
  using P = Projections<Total<T, D>>;
  static constexpr std::size_t most_lines = 128 / sizeof(T), rows_projected = 4;

  const NormCall& call_;
  const std::size_t n_ = call_.length;
  std::size_t rows_, stretch_, pitch_;  // rows and elements of each row in a buffer at a time, and its line length
  alignas(64) T ones_[sum_block], zeros_[sum_block], little_[4096];
  std::array<double, most_lines> shift_ = {}, scale_, start_, most_;
  template <class X>
  using OfLines = std::array<std::array<X, lines_at_once>, most_lines / lines_at_once>;
  OfLines<M> moments_ = {};
  OfLines<P> projections_ = {};
  OfLines<RoughMoments<D>> rough_ = {};
  std::array<Standard, most_lines> standard_;

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
    rows_ = scratch == nullptr ? 1 : across ? most_lines : std::clamp<std::size_t>(8192 / n_, fewest, lines_at_once);
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
      for (std::size_t i = 0; i < rows; ++i) standardize_by(call_.first[r + i], call_.second[r + i], standard_[i]);
    } else {
      measure(r, rows, x, g, result);
    }
    if constexpr (backward) {
      differentiate(r, rows, x, g, result);
    } else {
      each_block(r, rows, x, g, result, pass == NormPass::given, true,
                 [&](std::size_t i, std::size_t j, std::size_t count, const T* from, const T*, T* to) {
                   Normal::forward(from, of(call_.gamma, ones_, r + i, j), of(call_.beta, zeros_, r + i, j), to, count,
                                   standard_[i]);
                 });
      if constexpr (shape.per_row && pass == NormPass::forward) {
        for (std::size_t i = 0; i < rows; ++i) {
          const auto [scale, mean, mean_lo, inverse, inverse_lo, variance] = standard_[i];
          call_.first[r + i] = mean / scale, call_.second[r + i] = variance;
        }
      }
    }
  }
  /// Returns gamma or beta from element j of a row on.
  static const T* of(const Operand& o, const T* constants, std::size_t row, std::size_t j) {
    if (o.data == nullptr) return constants;
    return reinterpret_cast<const T*>(shape.per_row ? o.at(row, 0) : static_cast<char*>(o.data) + j * sizeof(T));
  }

  /// Computes mean and deviation of some rows. For doubles, a first sweep finds an approximate mean, and a second one
  /// sums differences from it, of scaled numbers where squares or the low part of the mean overflow or underflow.
  void measure(std::size_t r, std::size_t rows, const Lines& x, const Lines& g, const Lines& result) {
    constexpr bool is_rough_first = !is_single && shape.centered;
    scale_.fill(1);
    bool reads = true;
    const auto sweep = [&](auto& of_lines, bool chooses_shift) {
      each_block(r, rows, x, g, result, reads, false,
                 [&](std::size_t i, std::size_t j, std::size_t count, const T* from, const T*, T*) {
                   auto& moments = of_lines[i / lines_at_once][i % lines_at_once];
                   if (j == 0) moments = {};
                   if (j == 0 && chooses_shift) shift_[i] = shape.centered ? typical(from, count) * scale_[i] : 0.0;
                   add_moments(moments, from, count, scale_[i], shift_[i], start_[i]);
                 });
      reads = false;
    };
    const auto measured = [&] {
      start_.fill(0);
      if constexpr (is_rough_first) {
        sweep(rough_, true);
        for (std::size_t i = 0; i < rows; i += lines_at_once) {
          const auto all = fold_lanes<D>([](auto a, auto b) { return a + b; }, rough_[i / lines_at_once].data());
          (D::load(&shift_[i]) + all.sum / static_cast<double>(n_)).store(&shift_[i]);
          all.most.store(&most_[i]);
        }
        for (std::size_t i = 0; i < rows; ++i) {
          const bool is_usual = most_[i] > 0 && std::isfinite(most_[i]);
          start_[i] = is_usual ? std::scalbn(1.0, std::ilogb(most_[i]) + 7) : 0.0;
        }
      }
      sweep(moments_, !is_rough_first);
      for (std::size_t i = 0; i < rows; i += lines_at_once) statistics(i, std::min(lines_at_once, rows - i));
    };
    measured();
    if constexpr (is_single) {
      for (std::size_t i = 0; i < rows; ++i) rescale(standard_[i]);
    } else {
      bool again = false;
      for (std::size_t i = 0; i < rows; ++i) {
        const double v = standard_[i].variance + call_.eps;
        // Where the numbers are tiny beside eps, the scale is limited so that the scaled eps stays finite.
        const bool is_tiny = most_[i] < 0x1p-900 && v < 0x1p600;
        scale_[i] = v < 0x1p-900 ? 0x1p600 : is_tiny ? 0x1p200 : v <= 0x1p1000 ? 1.0 : 0x1p-600;
        again = again || scale_[i] != 1;
      }
      if (again) measured();
    }
  }
  /// The median of three elements, because a single outlier cannot be the median.
  static double typical(const T* from, std::size_t count) {
    const T a = from[0], b = from[count / 2], c = from[count - 1];
    return static_cast<double>(std::max(std::min(a, b), std::min(std::max(a, b), c)));
  }
  /// Brings the inverse into the range of floats.
  static void rescale(Standard& s) {
    if (!(s.inverse > 0x1p60 || s.inverse < 0x1p-60) || s.inverse == 0 || !std::isfinite(s.inverse)) return;
    const double scale = std::scalbn(1.0, std::ilogb(s.inverse));
    s.scale *= scale, s.mean *= scale, s.mean_lo *= scale;
    s.inverse /= scale, s.inverse_lo /= scale;
  }

  template <class X>
  [[gnu::flatten, gnu::noinline]] static void add_moments(X& sums, const T* from, std::size_t n, double scale,
                                                          double shift, double start) {
    const Measure<D> by = {scale, shift, start};
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

  /// Computes mean and deviation of up to eight lines, from line i on, from their moments.
  [[gnu::noinline]] void statistics(std::size_t i, std::size_t lines) {
    const M all = fold_lanes<D>([](M a, M b) { return a + b; }, moments_[i / lines_at_once].data());
    const D scale = D::load(&scale_[i]), shift = D::load(&shift_[i]), count = static_cast<double>(n_);
    math::Pair<D> mean = {0.0, 0.0};
    if constexpr (shape.centered) mean = all.mean(shift, count);
    const D offset = (mean.hi - shift) + mean.lo;
    const math::Pair<D> square = math::normalized(all.squares() / math::Divisor<D>({count, 0.0})), zero = {0.0, 0.0};
    const math::Pair<D> found = shape.centered ? square + -math::product(offset, offset) : square;
    const math::Pair<D> variance = math::select(found.hi < D(0.0), zero, found);
    const math::Pair<D> inverse = inverse_root(math::normalized(scale * call_.eps * scale + variance));
    const std::array<D, 6> columns = {scale, mean.hi, mean.lo, inverse.hi, inverse.lo, variance.hi / scale / scale};
    if constexpr (!is_single && !shape.centered) all.most.store(&most_[i]);
    double of[6][lines_at_once];
    for (std::size_t k = 0; k < columns.size(); ++k) columns[k].store(of[k]);
    for (std::size_t k = 0; k < lines; ++k) {
      standard_[i + k] = {of[0][k], of[1][k], of[2][k], of[3][k], of[4][k], of[5][k]};
    }
  }
  void standardize_by(double mean, double variance, Standard& s) const {
    const math::Pair<D> inverse = inverse_root(math::sum(D(variance), D(call_.eps)));
    double of[2][lines_at_once];
    inverse.hi.store(of[0]), inverse.lo.store(of[1]);
    s = {1, mean, 0, of[0][0], of[1][0], variance};
    if constexpr (is_single) rescale(s);
  }

  /// Sums of columns and their low parts, in memory.
  struct Column {
    double *hi, *lo;
    template <class Count>
    Total<T, D> load(std::size_t j, Count count) const {
      if constexpr (is_single)
        return {eight<D>(hi + j, count)};
      else
        return {{eight<D>(hi + j, count), eight<D>(lo + j, count)}};
    }
    template <class Count>
    void store(Total<T, D> sum, std::size_t j, Count count) const {
      if constexpr (is_single) {
        store_eight(sum.value, hi + j, count);
      } else {
        store_eight(sum.hi, hi + j, count), store_eight(sum.lo, lo + j, count);
      }
    }
  };

  /// Adds a block of each of a few rows to the sums of the rows and to those of the columns. A part of the block at a
  /// time goes through all chains of sums, so that it stays in the first-level cache with the sums of the columns.
  template <std::size_t count>
  [[gnu::flatten, gnu::noinline]] static void add_projections(P* sums, const T* const* x, const T* const* g,
                                                              const T* gamma, std::size_t n, const Standard* s,
                                                              Column dgamma, Column dbeta) {
    std::array<std::array<P, sum_chains>, count> of_row = {};
    std::array<StandardizeWide<T, D>, count> standardized;
    for (std::size_t r = 0; r < count; ++r) standardized[r] = StandardizeWide<T, D>(s[r]);
    const auto add = [&](std::array<P, count>& p, std::size_t j, auto some) {
      const D factor = shape.per_row ? D(1.0) : eight<D>(gamma + j, some);
      Total<T, D> of_gamma = {}, of_beta = {};
      if constexpr (!shape.per_row) of_gamma = dgamma.load(j, some);
      if constexpr (!shape.per_row && shape.centered) of_beta = dbeta.load(j, some);
      for (std::size_t r = 0; r < count; ++r) {
        const math::Pair<D> normed = standardized[r](eight<D>(x[r] + j, some));
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
    P* const projections = projections_[0].data();
    std::fill_n(projections, rows, P{});
    const auto column = [&](double* sums, std::size_t j) {
      if (shape.per_row || sums == nullptr) return Column{nullptr, nullptr};
      return Column{sums + j, is_single ? nullptr : sums + n_ + j};
    };
    each_stretch(r, rows, x, g, dx, false, false, [&](std::size_t begin, std::size_t end) {
      for (std::size_t j = begin; j < end; j += sum_block) {
        const auto add = [&](std::size_t i, auto some) {
          std::array<const T*, some> of_x, of_g;
          for (std::size_t k = 0; k < some; ++k) of_x[k] = x.at(r, i + k, begin, j), of_g[k] = g.at(r, i + k, begin, j);
          add_projections<some>(&projections[i], of_x.data(), of_g.data(), of(call_.gamma, ones_, r + i, j),
                                std::min(sum_block, end - j), &standard_[i], column(call_.first, j),
                                column(call_.second, j));
        };
        std::size_t i = 0;
        for (; i + rows_projected <= rows; i += rows_projected) {
          add(i, std::integral_constant<std::size_t, rows_projected>{});
        }
        for (; i < rows; ++i) add(i, std::integral_constant<std::size_t, 1>{});
      }
    });
    double sum[2][most_lines];
    for (std::size_t i = 0; i < rows; i += lines_at_once) {
      const P all = fold_lanes<D>([](P a, P b) { return a + b; }, projections_[i / lines_at_once].data());
      all.h.total().store(sum[0] + i), all.hx.total().store(sum[1] + i);
    }
    const double count = static_cast<double>(n_);
    each_block(r, rows, x, g, dx, false, true,
               [&](std::size_t i, std::size_t j, std::size_t some, const T* of_x, const T* of_g, T* to) {
                 const T* const gamma = of(call_.gamma, ones_, r + i, j);
                 const double mean_h = shape.centered ? sum[0][i] / count : 0.0, mean_hx = sum[1][i] / count,
                              rest = std::fma(-mean_hx, count, sum[1][i]) / count;
                 if constexpr (is_single) {
                   if (Normal::single_backward(of_x, of_g, gamma, to, some, standard_[i], mean_h, mean_hx)) return;
                 }
                 Normal::backward(of_x, of_g, gamma, to, some, standard_[i], mean_h,
                                  {mean_hx, std::isfinite(rest) ? rest : 0.0});
               });
    if constexpr (shape.per_row) {
      std::copy_n(sum[1], rows, call_.first + r);
      std::copy_n(sum[0], rows, call_.second + r);
    }
  }
};

template <class Isa, class T, NormShape shape, NormPass pass>
void norm(const NormCall& call, std::size_t begin, std::size_t end) {
  NormKernelOf<Isa, T, shape, pass>{call}(begin, end);
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
