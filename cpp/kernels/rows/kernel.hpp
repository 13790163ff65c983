// The kernels of row functions: sweeps over a few rows at a time, which are copied to buffers if necessary.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <limits>

#include "functions/rows/list.hpp"
#include "kernels/interface.hpp"
#include "kernels/rows/function.hpp"
#include "kernels/rows/passes.hpp"
#include "kernels/rows/steps.hpp"
#include "kernels/staging/stage.hpp"

namespace fastact::kernels {
// Internal linkage gives each instruction set code of its own: none may run what was compiled for another.
namespace {

/// Computes the rows of a call, a tile at a time, by the steps of a function.
template <class V>
class Engine : Passes<V> {
  using Base = Passes<V>;
  using Base::call_, Base::held_, Base::road_, Base::traits_;
  using Base::label, Base::operand;
  using typename Base::T;
  const Steps<V>& steps_;

 public:
  Engine(const Steps<V>& steps, const RowCall& call, std::size_t rows)
      : Base(steps.traits, call, rows), steps_(steps) {}

  void operator()(std::size_t begin, std::size_t end) {
    const std::size_t rest = (end - begin) % road_.multiple, last = end - rest;
    for (std::size_t r = begin; r < last; r += road_.rows) tile(r, std::min(road_.rows, last - r));
    if (rest > 0) Engine(steps_, call_, rest)(last, end);
  }

 private:
  void tile(std::size_t r, std::size_t rows) {
    held_ = road_.length >= call_.length;
    if (held_) this->bring_inputs(r, rows, 0, call_.length);
    const bool is_shared = rows == 1 && call_.split != nullptr;
    if (traits_.by_element && held_ && !road_.across && !is_shared) {
      const std::size_t length = road_.joined ? rows * call_.length : call_.length;
      steps_.elements(this->group(r, 0, road_.joined ? 1 : rows, 0), length);
    } else {
      const bool many = traits_.counts && road_.multiple % Wide<V, 8>::size == 0;
      const std::size_t most = !road_.at_once ? V::size * (road_.across ? steps_.groups : 1)
                               : many         ? Wide<V, 8>::size
                                              : Wide<V>::size;
      for (std::size_t i = 0; i < rows; i += most) some_rows(r + i, i, std::min(most, rows - i), many);
    }
    if (held_) this->bring_outputs(r, rows, 0, call_.length);
  }

  void some_rows(std::size_t r, std::size_t i, std::size_t rows, bool many) {
    Ends<V> ends;
    compute(r, i, rows, many, ends);
    write(ends, r, i, rows);
  }
  /// Computes some rows, out of line, so that the state leaves the stack: threads of some systems have a small one.
  [[gnu::noinline]] void compute(std::size_t r, std::size_t i, std::size_t rows, bool many, Ends<V>& ends) {
    State<V> state;
    if (!road_.at_once) return sweep(r, i, rows, state, ends);
    read_numbers(r, rows, state);
    (many ? steps_.many : steps_.few)(this->group(r, i, rows, 0), call_.length, state, ends);
  }

  /// The sweeps over some rows: as many as a vector has lanes if vectors lie along them, several groups of as many
  /// otherwise.
  void sweep(std::size_t r, std::size_t i, std::size_t rows, State<V>& state, Ends<V>& ends) {
    const std::size_t vectors = vectors_across<V>(rows);
    const auto by = [&state](auto step) {
      return [&state, step](const Group<T>& group, std::size_t begin, std::size_t end, bool is_first, void* partial) {
        step(group, begin, end, is_first, state, partial);
      };
    };
    if (traits_.has_largest) {
      const Pieces pieces(call_.length, call_.split == nullptr);
      this->joined(r, i, rows, pieces, false, steps_.of_largest, by(steps_.largest), state.largest.data());
    }
    read_numbers(r, rows, state);  // before an output replaces x
    for (std::size_t v = 0; v < vectors; ++v) steps_.before(v, state);
    if (traits_.has_sums) {
      void* const sums = state.sums.data();
      for (bool again = true; again;) {
        this->joined(r, i, rows, Pieces(call_.length), !traits_.has_late, steps_.of_sums, by(steps_.sum), sums);
        again = false;
        for (std::size_t v = 0; v < vectors && steps_.repeats != nullptr; ++v) again |= steps_.repeats(v, state);
      }
    }
    for (std::size_t v = 0; v < vectors; ++v) steps_.after(v, state);
    if (traits_.has_late) {
      // The buffer of rows that are not held no longer has what the second sweep kept.
      const bool anew = traits_.keeps && !held_ && road_.staged[traits_.inputs];
      this->each_piece(Pieces(call_.length), [&](const Base& tile, std::size_t, std::size_t begin, std::size_t end) {
        tile.each_stretch(r, i, rows, begin, end, true, [&](const Group<T>& group, std::size_t from, std::size_t to) {
          if (typename Base::Partial unused; anew) steps_.sum(group, from, to, true, state, unused.of(vectors));
          steps_.late(group, from, to, state);
        });
      });
    }
    for (std::size_t v = 0; v < vectors; ++v) steps_.end(v, state, ends);
  }

  /// Reads the inputs that have one number for each row, and the settings.
  void read_numbers(std::size_t r, std::size_t rows, State<V>& state) const {
    const std::size_t filled = (rows + Wide<V>::size - 1) / Wide<V>::size * Wide<V>::size;
    for (std::size_t k = 0; k < traits_.numbers_of_rows; ++k) {
      const Operand& o = call_.operands[traits_.inputs + k];
      T* const values = state.numbers[k];
      std::fill(values + rows, values + filled, T{0});
      if (traits_.labelled && k == 0) {
        for (std::size_t i = 0; i < rows; ++i) {
          const std::size_t j = label(r + i);
          values[i] = std::numeric_limits<T>::quiet_NaN();
          if (j < call_.length) move_line<V, Way::in>(call_.rows_format, operand(0).at(r + i, j), 0, values + i, 1);
        }
      } else if (o.data == nullptr) {
        std::fill_n(values, rows, T{1});
      } else {  // a learned parameter is not rounded to half precision
        move_line<V, Way::in>(traits_.parameter ? native<T> : call_.format, o.at(r, 0), o.row, values, rows);
      }
    }
    if (traits_.settings > 0) {
      const T smoothing = static_cast<T>(call_.smoothing);
      const double settings[] = {call_.smoothing, call_.smoothing - static_cast<double>(smoothing),
                                 static_cast<double>(call_.length)};
      for (std::size_t k = 0; k < std::size(settings); ++k)
        std::fill_n(state.numbers[traits_.numbers_of_rows + k], filled, static_cast<T>(settings[k]));
    }
  }

  /// Writes what rows have beside their elements: the output at the label, and the result.
  void write(Ends<V>& ends, std::size_t r, std::size_t i, std::size_t rows) const {
    if (traits_.writes_label) this->write_labels(ends.at_label, r, i, rows);
    if (ends.any_unusual) [[unlikely]]
      steps_.in_double != nullptr ? in_double(ends, r, rows) : this->keep_first(ends.unusual, r, i, rows);
    if (this->writes_result()) write_result(ends, r, rows);
    if ((traits_.maskable && call_.mask.data != nullptr) || (traits_.has_labels() && call_.ignored != nullptr))
        [[unlikely]]
      this->write_nothing(ends.largest, r, i, rows);
  }
  void write_result(Ends<V>& ends, std::size_t r, std::size_t rows) const {
    const Operand& o = call_.operands[traits_.place_of_result];
    if (!traits_.parameter) return move_line<V, Way::out>(call_.format, o.at(r, 0), o.row, ends.result, rows);
    for (std::size_t k = 0; k < rows; ++k) {
      const double low = std::isfinite(ends.result_lo[k]) ? ends.result_lo[k] : 0.0;  // it is NaN if result overflowed
      const double sum = ends.result[k] + low;
      std::memcpy(o.at(r + k, 0), &sum, sizeof sum);
    }
  }
  void in_double(Ends<V>& ends, std::size_t r, std::size_t rows) const {
    double value = 0;
    RowCall call = call_;
    call.split = nullptr;
    call.format = Format::f64;
    call.operands[1] = {&value, 0, 0};
    for (std::size_t k = 0; k < rows; ++k) {
      if (ends.unusual[k] != 0) steps_.in_double(call, r + k, r + k + 1), ends.result[k] = static_cast<T>(value);
    }
  }
};

template <class V>
[[gnu::noinline]] void run(const Steps<V>& steps, const RowCall& call, std::size_t begin, std::size_t end) {
  Engine<V>(steps, call, end - begin)(begin, end);
}
template <class V, class F>
void run_rows(const RowCall& call, std::size_t begin, std::size_t end) {
  static constexpr Steps<V> steps = StepsOf<V, F>::steps();
  run(steps, call, begin, end);
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
