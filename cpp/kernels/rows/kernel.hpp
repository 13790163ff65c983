// The kernels of row functions: sweeps over a few rows at a time, which are copied to buffers if necessary.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "functions/rows/list.hpp"
#include "kernels/interface.hpp"
#include "kernels/rows/passes.hpp"
#include "kernels/rows/sweeps.hpp"
#include "kernels/staging/stage.hpp"

namespace fastact::kernels {
// Internal linkage gives each instruction set code of its own: none may run what was compiled for another.
namespace {

/// Computes the rows of a call, a tile at a time.
template <class V, class F>
class Kernel : Passes<V, F> {
  using Base = Passes<V, F>;
  using Base::call_, Base::held_, Base::road_, Base::shape;
  using Base::has_labels, Base::label, Base::of_group, Base::operand, Base::place_of_result;
  using typename Base::Arrays, typename Base::S, typename Base::T;

 public:
  Kernel(const RowCall& call, std::size_t rows) : Base(call, rows) {}

  void operator()(std::size_t begin, std::size_t end) {
    const std::size_t rest = (end - begin) % road_.multiple, last = end - rest;
    for (std::size_t r = begin; r < last; r += road_.rows) tile(r, std::min(road_.rows, last - r));
    if (rest > 0) Kernel(call_, rest)(last, end);
  }

 private:
  void tile(std::size_t r, std::size_t rows) {
    held_ = road_.length >= call_.length;
    if (held_) this->bring_inputs(r, rows, 0, call_.length);
    const bool across = V::lanes > 1 && road_.across;
    const bool by_element = shape.by_element && held_ && !across && (road_.joined || rows > 1);
    if (by_element) elements(r, road_.joined ? 1 : rows, road_.joined ? rows * call_.length : call_.length);
    const bool many = shape.counts && road_.multiple % Wide<V, 8>::size == 0;
    const std::size_t most = !road_.at_once ? V::size * (across ? S::groups : 1)
                             : many         ? Wide<V, 8>::size
                                            : Wide<V>::size;
    for (std::size_t i = 0; i < rows && !by_element; i += most) {
      const std::size_t some = std::min(most, rows - i);
      if constexpr (V::lanes > 1) {
        if (road_.at_once && !many) at_once<Wide<V>>(r + i, i, some);
        if constexpr (shape.counts) {
          if (road_.at_once && many) at_once<Wide<V, 8>>(r + i, i, some);
        }
      }
      if (!road_.at_once) group(r + i, i, some);
    }
    if (held_) this->bring_outputs(r, rows, 0, call_.length);
  }

  void elements(std::size_t r, std::size_t rows, std::size_t length) const {
    if constexpr (shape.by_element) {
      const Sweeps<Wide<V>, F> sweeps = {road_.across, rows, false};
      constexpr rowwise::RowFunction::Nothing nothing;
      sweeps.late(of_group(r, 0, 0), 0, length, &nothing);
    }
  }
  template <class W>
  void at_once(std::size_t r, std::size_t i, std::size_t rows) const {
    const Sweeps<W, F> sweeps = {true, rows, false};
    W largest;
    const auto after = sweeps.few(of_group(r, i, 0), call_.length, numbers<W>(r, rows), largest);
    write(after, largest, r, i, rows);
  }

  /// Computes some rows: as many as a vector has lanes if vectors lie along them, several groups of as many otherwise.
  [[gnu::noinline]] void group(std::size_t r, std::size_t i, std::size_t rows) {
    const S sweeps = {road_.across, rows, road_.kept_apart};
    const std::size_t groups = sweeps.vectors();
    std::array<V, S::groups> largest;
    if constexpr (F::has_largest) {
      const Larger<F::template larger<V>> larger;
      const auto sweep = [&](const Arrays& arrays, std::size_t begin, std::size_t end, bool is_first, V* found) {
        sweeps.largest(arrays, begin, end, is_first, found);
      };
      const Pieces pieces(call_.length, call_.split == nullptr);
      this->template joined<1>(r, i, rows, pieces, false, larger, larger, sweep, largest.data());
    } else {
      largest.fill(0.0);
    }
    const auto in_group = [rows](std::size_t g) { return std::min(V::size, rows - g * V::size); };
    std::array<std::array<V, F::numbers + F::settings>, S::groups> numbers;  // before an output replaces x
    std::array<typename S::Before, S::groups> before;
    for (std::size_t g = 0; g < groups; ++g) {
      numbers[g] = this->numbers<V>(r + g * V::size, in_group(g));
      before[g] = std::apply([&](auto... number) { return F::before(largest[g], number...); }, numbers[g]);
    }
    std::array<typename S::Sums, S::groups> sums;
    if constexpr (F::has_sums) {
      const auto sweep = [&](const Arrays& arrays, std::size_t begin, std::size_t end, bool is_first, auto* partial) {
        sweeps.sum(arrays, begin, end, is_first, before.data(), partial);
      };
      for (bool again = true; again;) {
        this->template joined<chains<T>>(r, i, rows, Pieces(call_.length), !F::has_late, Join<false>(),
                                         JoinInBlock<typename S::Sums>(), sweep, sums.data());
        again = false;
        for (std::size_t g = 0; g < groups; ++g) again |= rowwise::repeats<F>(before[g], sums[g]);
      }
    }
    const auto after_group = [&](std::size_t g) {
      const auto of_row = [&](auto... number) { return F::after(largest[g], before[g], sums[g], number...); };
      return std::apply(of_row, numbers[g]);
    };
    std::array<decltype(after_group(0)), S::groups> after;
    for (std::size_t g = 0; g < groups; ++g) after[g] = after_group(g);
    if constexpr (F::has_late) {
      this->each_piece(Pieces(call_.length), [&](const Base& tile, std::size_t, std::size_t begin, std::size_t end) {
        tile.each_stretch(r, i, rows, begin, end, true, [&](const Arrays& arrays, std::size_t from, std::size_t to) {
          if constexpr (F::keeps) {
            if (!held_ && road_.staged[F::rows]) {  // the buffer no longer holds what the second sweep kept
              typename Base::template PartialResults<typename S::Sums> unused;
              sweeps.sum(arrays, from, to, true, before.data(), unused.of(groups));
            }
          }
          sweeps.late(arrays, from, to, after.data());
        });
      });
    }
    for (std::size_t g = 0; g < groups; ++g) write(after[g], largest[g], r + g * V::size, i + g * V::size, in_group(g));
  }

  /// Writes what a row has beside its elements: the output at the label, and the result.
  template <class After, class W>
  void write(const After& after, W largest, std::size_t r, std::size_t i, std::size_t rows) const {
    if constexpr (F::writes_label) this->write_labels(F::at_label(after), r, i, rows);
    if constexpr (F::has_result) write_result(after, r, rows);
    if constexpr (F::keeps_first) {
      if (!all(after <= W(1.0))) this->keep_first(after, r, i, rows);
    }
    if ((F::maskable && call_.mask.data != nullptr) || (has_labels && call_.ignored != nullptr)) [[unlikely]]
      this->write_nothing(largest, r, i, rows);
  }

  /// The inputs that have one number for each row, and the settings.
  template <class W>
  std::array<W, F::numbers + F::settings> numbers(std::size_t r, std::size_t rows) const {
    std::array<W, F::numbers + F::settings> numbers;
    if constexpr (F::settings > 0) {
      const double low = call_.smoothing - static_cast<double>(static_cast<T>(call_.smoothing));
      const std::array settings = {W(call_.smoothing), W(low), W(static_cast<double>(call_.length))};
      std::ranges::copy(settings, numbers.begin() + F::numbers);
    }
    for (std::size_t k = 0; k < F::numbers; ++k) {
      const Operand& o = call_.operands[F::rows + k];
      T values[W::size] = {};
      if (F::labelled && k == 0) {
        for (std::size_t i = 0; i < rows; ++i) {
          const std::size_t j = label(r + i);
          values[i] = std::numeric_limits<T>::quiet_NaN();
          if (j < call_.length) move_line<V, Way::in>(call_.rows_format, operand(0).at(r + i, j), 0, values + i, 1);
        }
      } else if (o.data == nullptr) {
        std::fill(std::begin(values), std::end(values), T{1});
      } else {  // a learned parameter is not rounded to half precision
        move_line<V, Way::in>(F::parameter ? native<T> : call_.format, o.at(r, 0), o.row, values, rows);
      }
      numbers[k] = W::load(values);
    }
    return numbers;
  }
  template <class After>
  void write_result(const After& after, std::size_t r, std::size_t rows) const {
    const Operand& o = call_.operands[place_of_result];
    if (F::targets && o.data == nullptr) return;
    const auto result = F::result(after);
    if constexpr (F::parameter) {
      using W = decltype(result.hi);
      T hi[W::size], lo[W::size];
      result.hi.store(hi), result.lo.store(lo);
      for (std::size_t k = 0; k < rows; ++k) {
        const double low = std::isfinite(lo[k]) ? lo[k] : 0.0, sum = hi[k] + low;  // lo is NaN if hi overflowed
        std::memcpy(o.at(r + k, 0), &sum, sizeof sum);
      }
    } else {
      using W = std::remove_const_t<decltype(result)>;
      T values[W::size];
      result.store(values);
      if constexpr (F::may_cancel && std::is_same_v<T, float>) {
        if (const W cancels = select(F::cancels(after, result), W(1.0), W(0.0)); !all(cancels == W(0.0))) {
          in_double(values, cancels, r, rows);
        }
      }
      move_line<V, Way::out>(call_.format, o.at(r, 0), o.row, values, rows);
    }
  }
  template <class W>
  [[gnu::noinline]] void in_double(T* values, W wanted, std::size_t r, std::size_t rows) const {
    using D = RowVector<typename V::InstructionSet, double>;
    T is_wanted[W::size];
    wanted.store(is_wanted);
    double value = 0;
    RowCall call = call_;
    call.split = nullptr;
    call.format = Format::f64;
    call.operands[1] = {&value, 0, 0};
    Kernel<D, F> kernel(call, 1);
    for (std::size_t k = 0; k < rows; ++k) {
      if (is_wanted[k] != 0) kernel(r + k, r + k + 1), values[k] = static_cast<T>(value);
    }
  }
};

template <class V, class F>
void run_rows(const RowCall& call, std::size_t begin, std::size_t end) {
  Kernel<V, F>(call, end - begin)(begin, end);
}

/// All kernels of row functions, for one instruction set.
template <class Isa>
constexpr RowTable row_kernels() {
  using Single = RowVector<Isa, float>;
  using Double = RowVector<Isa, double>;
  return {{
#define FASTACT_ENTRY(form, name) {run_rows<Single, rowwise::name>, run_rows<Double, rowwise::name>},
      FASTACT_ROWWISE(FASTACT_ENTRY) FASTACT_ROW_VARIANTS(FASTACT_ENTRY)
#undef FASTACT_ENTRY
  }};
}

}  // namespace
}  // namespace fastact::kernels
