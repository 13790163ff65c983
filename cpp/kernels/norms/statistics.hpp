// Mean and deviation of some rows, and the standardization that follows from them.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <type_traits>

#include "kernels/norms/sums.hpp"
#include "math/pair.hpp"

namespace fastact::kernels {
namespace {

/// The largest number of rows that are computed together, and one number for each of them. Such arrays lie side by
/// side, and a load from one should not wait for a store to another, as it does if they are multiples of 4 KiB apart.
constexpr std::size_t most_rows = 512, room_for_rows = most_rows + 40;
template <class T, std::size_t count = room_for_rows>
using PerRow = std::array<T, count>;

/// 1/√v, or 0 where v is 0. The low part comes from a Newton step; floats need none.
template <class T, class D>
math::Pair<D> inverse_root(math::Pair<D> v) {
  const D root = D(1.0) / sqrt(v.hi);
  if constexpr (std::is_same_v<T, float>) return {select(v.hi == D(0.0), D(0.0), root), 0.0};
  const math::Pair<D> product = math::product(v.hi, root);
  const D excess = fma(product.hi, root, D(-1.0)) + root * fma(v.lo, root, product.lo);
  const D lo = D(-0.5) * root * excess;
  const math::Pair<D> zero = {0.0, 0.0}, inverse = {root, select(lo == lo, lo, D(0.0))};
  return math::select(v.hi == D(0.0), zero, inverse);
}

/// The largest power of two that is not above x > 0, or 0 if it were subnormal. It is infinite where x is infinite or
/// NaN.
template <class D>
D power_of_two(D x) {
  return x.template shift_right<52>().template shift_left<52>();
}

/// How formulas take the numbers of rows from their arrays: those of one row for all lanes, or those of several rows,
/// one for each lane.
struct OneRow {
  std::size_t row;
  template <class V, class Numbers>
  V of(const Numbers& numbers) const {
    return V(static_cast<double>(numbers[row]));
  }
};
struct SomeRows {
  std::size_t row;
  template <class V, class Numbers>
  V of(const Numbers& numbers) const {
    return V::load(&numbers[row]);
  }
};

/// The numbers from which elements are standardized, of the type of the rows (see Standardize). A batch norm's contain
/// gamma and beta in its forward pass.
template <class T, std::size_t count = room_for_rows>
struct Narrow {
  alignas(64) PerRow<T, count> factor, center, hi, lo, rest;

  /// Copies the numbers of the first `some` rows to those of others, from row i on.
  template <std::size_t others>
  void copy(std::size_t some, Narrow<T, others>& to, std::size_t i) const {
    const PerRow<T, count>* const mine[] = {&factor, &center, &hi, &lo, &rest};
    PerRow<T, others>* const theirs[] = {&to.factor, &to.center, &to.hi, &to.lo, &to.rest};
    for (std::size_t k = 0; k < std::size(mine); ++k) std::copy_n(mine[k]->data(), some, theirs[k]->data() + i);
  }
};

/// The standardization of rows, x̂ = (scale x - mean) inverse. The mean and the inverse of the deviation have two parts
/// each for doubles. The scale is a power of two, 1 unless the deviation is very large or small.
template <class T>
struct Standards : Narrow<T> {
  alignas(64) PerRow<double> scale, mean, mean_lo, inverse, inverse_lo, variance;
};

/// x̂, or γ x̂ + β if that is what the numbers are for, in the type of the rows. The difference from the mean is exact
/// where the two have the same sign and neither exceeds twice the other; elsewhere its rounding, at most half an ulp of
/// it, is one of x̂, too. Max error: 2 ulp of x̂ with the low part of the inverse: the error of the difference, with that
/// of the last operation. Without it: 3 ulp of the largest of x̂ or γ x̂, β and the result.
template <class V, bool has_low>
class Standardize {
  V factor_, center_, hi_, lo_, rest_;

 public:
  template <class T, std::size_t count, class Rows>
  Standardize(const Narrow<T, count>& s, Rows rows)
      : factor_(rows.template of<V>(s.factor)),
        center_(rows.template of<V>(s.center)),
        hi_(rows.template of<V>(s.hi)),
        lo_(rows.template of<V>(s.lo)),
        rest_(rows.template of<V>(s.rest)) {}
  V operator()(V x) const {
    const V d = fma(x, factor_, -center_);
    return fma(d, hi_, has_low ? fma(d, lo_, rest_) : rest_);
  }
};

/// x̂ for sums: that of a float in double, that of a double as a pair.
template <class T, class D>
class StandardizeWide {
  D scale_, mean_, mean_lo_, inverse_, inverse_lo_;

 public:
  StandardizeWide() = default;
  template <class Rows>
  StandardizeWide(const Standards<T>& s, Rows rows)
      : scale_(rows.template of<D>(s.scale)),
        mean_(rows.template of<D>(s.mean)),
        mean_lo_(rows.template of<D>(s.mean_lo)),
        inverse_(rows.template of<D>(s.inverse)),
        inverse_lo_(rows.template of<D>(s.inverse_lo)) {}
  math::Pair<D> operator()(D x) const {
    if constexpr (std::is_same_v<T, float>) return {fma(x, scale_, -mean_) * inverse_, 0.0};
    const math::Pair<D> d = math::sum(x * scale_, -mean_);
    const D low = fma(d.hi, inverse_lo_, (d.lo - mean_lo_) * inverse_), hi = fma(d.hi, inverse_, low);
    return {hi, fma(d.hi, inverse_, -hi) + low};
  }
};

/// Computes the standardization of rows, eight rows at a time.
template <class Isa, class T>
class Statistics : public Standards<T> {
  using D = Eight<Isa>;
  using Base = Standards<T>;
  static constexpr bool is_single = std::is_same_v<T, float>;
  const NormCall& call_;
  const bool centered_;
  const double n_, eps_;
  const math::Divisor<D> by_n_{{n_, 0.0}};
  alignas(64) PerRow<double> shift_, start_, most_;

 public:
  using Base::scale, Base::mean, Base::mean_lo, Base::inverse, Base::inverse_lo, Base::variance;

  explicit Statistics(const NormCall& call)
      : call_(call), centered_(call.norm != Norm::rms), n_(static_cast<double>(call.length)), eps_(call.eps) {}

  /// Returns the scale and the shift that are applied to elements before their moments are added.
  template <class Rows>
  Measure<D> measure(Rows rows) const {
    return {rows.template of<D>(scale), rows.template of<D>(shift_), rows.template of<D>(start_)};
  }
  /// Chooses the shifts of rows from three elements: their median, because a single outlier cannot be the median.
  template <class V>
  static V typical(V a, V b, V c) {
    using std::max, std::min;
    return max(min(a, b), min(max(a, b), c));
  }
  void set_shift(std::size_t i, T x) { shift_[i] = static_cast<double>(x) * scale[i]; }
  void set_shifts(std::size_t i, D x) { (x * D::load(&scale[i])).store(&shift_[i]); }

  /// Computes mean and deviation. sweep(sums, chooses_shift) computes the sums of all rows, those of eight rows in each
  /// element. For doubles, a first sweep finds an approximate mean, and a second one sums differences from it, of
  /// scaled numbers where squares or the low part of the mean overflow or underflow.
  template <class Sweep>
  void measure(std::size_t rows, const Sweep& sweep) {
    const std::size_t padded = (rows + 7) / 8 * 8;
    std::fill_n(scale.data(), padded, 1.0);
    std::fill(shift_.data() + rows, shift_.data() + padded, 0.0);
    sum(rows, sweep);
    if constexpr (!is_single) {
      if (choose_scales(rows)) sum(rows, sweep);
    }
  }
  /// Takes mean and variance as they are given.
  [[gnu::noinline]] void take(std::size_t r, std::size_t rows) {
    for (std::size_t i = 0; i < rows; i += 8) {
      const std::size_t some = std::min<std::size_t>(8, rows - i);
      const D middle = D::load(call_.first + r + i, some), square = D::load(call_.second + r + i, some);
      store(i, D(1.0), {middle, 0.0}, inverse_root<T>(math::sum(square, D(eps_))), square);
    }
  }
  /// Computes the numbers that have the type of the rows: `rows` of them, from row r on, rounded up to `padded`.
  [[gnu::noinline]] void narrow(std::size_t r, std::size_t rows, std::size_t padded) {
    const auto as_row = [](D d, T* to) {
      store_eight(d, to, std::integral_constant<std::size_t, 8>{});
      return eight<D>(to, std::integral_constant<std::size_t, 8>{});
    };
    const bool is_folded = call_.norm == Norm::batch && call_.pass != NormPass::backward;
    const auto folded = [&](const Operand& o, std::size_t i, double none) {
      if (!is_folded || o.data == nullptr) return D(none);
      return eight<D>(static_cast<const T*>(o.data) + r + i, i < rows ? std::min<std::size_t>(8, rows - i) : 0);
    };
    for (std::size_t i = 0; i < padded; i += 8) {
      const D gamma = folded(call_.gamma, i, 1.0), beta = folded(call_.beta, i, -0.0);
      if constexpr (is_single) rescale(i, gamma);
      const D root = D::load(&inverse[i]), low = D::load(&inverse_lo[i]) * gamma, slope = fma(root, gamma, low);
      const D middle = D::load(&mean[i]), mean_rest = middle - as_row(middle, &this->center[i]);
      as_row(D::load(&scale[i]), &this->factor[i]);
      as_row(fma(root, gamma, -as_row(slope, &this->hi[i])) + low, &this->lo[i]);
      const D offset = (mean_rest + D::load(&mean_lo[i])) * slope;
      as_row(beta - select(math::is_finite(offset), offset, D(0.0)), &this->rest[i]);
    }
  }

  /// Writes mean and variance of rows from row r on, if they are results.
  void give(const NormCall& call, std::size_t r, std::size_t rows) const {
    if (call.norm != Norm::batch || call.pass != NormPass::forward) return;
    for (std::size_t i = 0; i < rows; ++i) {
      call.first[r + i] = mean[i] / scale[i], call.second[r + i] = variance[i];
    }
  }

 private:
  void store(std::size_t i, D s, math::Pair<D> middle, math::Pair<D> root, D square) {
    s.store(&scale[i]);
    middle.hi.store(&mean[i]), middle.lo.store(&mean_lo[i]);
    root.hi.store(&inverse[i]), root.lo.store(&inverse_lo[i]);
    square.store(&variance[i]);
  }
  template <class X>
  using OfGroups = std::array<X, most_rows / 8>;
  template <class Sweep>
  [[gnu::noinline]] void sum(std::size_t rows, const Sweep& sweep) {
    if constexpr (is_single) {
      centered_ ? sum<SingleMoments<D>>(rows, sweep, true) : sum<SingleSquares<D>>(rows, sweep, false);
    } else if (centered_) {
      OfGroups<RoughMoments<D>> rough;
      sweep(rough.data(), true);
      set_middle(rough.data(), rows);
      sum<DoubleMoments<D>>(rows, sweep, false);
    } else {
      sum<DoubleSquares<D>>(rows, sweep, false);
    }
  }
  template <class M, class Sweep>
  void sum(std::size_t rows, const Sweep& sweep, bool chooses_shift) {
    OfGroups<M> moments;
    sweep(moments.data(), chooses_shift);
    for (std::size_t i = 0; i < rows; i += 8) standardize(moments[i / 8], i);
  }
  [[gnu::noinline]] void set_middle(const RoughMoments<D>* rough, std::size_t rows) {
    for (std::size_t i = 0; i < rows; i += 8) {
      (D::load(&shift_[i]) + rough[i / 8].sum / n_).store(&shift_[i]);
      const D most = rough[i / 8].most, start = power_of_two(most) * D(0x1p7);  // infinite for the largest numbers
      most.store(&most_[i]);
      select(math::is_finite(most), start, D(0.0)).store(&start_[i]);
    }
  }
  /// Returns whether a row must be multiplied by a scale other than 1.
  [[gnu::noinline]] bool choose_scales(std::size_t rows) {
    bool is_any = false;
    for (std::size_t i = 0; i < rows; i += 8) {
      const D v = D::load(&variance[i]) + D(eps_), one = 1.0;
      // Where the numbers are tiny beside eps, the scale is limited so that the scaled eps stays finite.
      D tiny = one;
      if (centered_) {
        const D most = select(v < D(0x1p600), D::load(&most_[i]), one);
        tiny = select(most < D(0x1p-900), D(0x1p200), one);
      }
      const D chosen = select(v < D(0x1p-900), D(0x1p600), select(v <= D(0x1p1000), tiny, D(0x1p-600)));
      const D s = select(D::indices() < D(static_cast<double>(rows - i)), chosen, one);
      s.store(&scale[i]);
      is_any = is_any || !all(s == one);
    }
    return is_any;
  }
  /// Computes mean and deviation of eight rows, from row i on, from their moments.
  template <class M>
  [[gnu::noinline]] void standardize(const M& sums, std::size_t i) {
    const D s = D::load(&scale[i]), shift = D::load(&shift_[i]);
    math::Pair<D> middle = {0.0, 0.0}, square = math::normalized(sums.squares() / by_n_);
    if constexpr (requires { sums.mean(shift, n_); }) {
      if (centered_) {
        middle = sums.mean(shift, n_);
        const D offset = (middle.hi - shift) + middle.lo;
        square = square + -math::product(offset, offset);
      }
    }
    const math::Pair<D> zero = {0.0, 0.0}, v = math::select(square.hi < D(0.0), zero, square);
    store(i, s, middle, inverse_root<T>(math::normalized(s * eps_ * s + v)), all(s == D(1.0)) ? v.hi : v.hi / s / s);
  }
  /// Brings the inverse, multiplied by gamma, into the range of floats.
  void rescale(std::size_t i, D gamma) {
    const D root = D::load(&inverse[i]), size = abs(root * gamma);
    const D least = 0x1p-60, most = 0x1p60, one = 1.0;
    if (all(max(least, min(most, size)) == size)) return;
    D power = select(size > most, power_of_two(size), select(size < least, power_of_two(size), one));
    power = select(power > D(0.0), select(math::is_finite(power), power, one), one);
    (D::load(&scale[i]) * power).store(&scale[i]);
    (D::load(&mean[i]) * power).store(&mean[i]), (D::load(&mean_lo[i]) * power).store(&mean_lo[i]);
    (root / power).store(&inverse[i]), (D::load(&inverse_lo[i]) / power).store(&inverse_lo[i]);
  }
};

}  // namespace
}  // namespace fastact::kernels
