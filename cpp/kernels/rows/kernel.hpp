// The kernels of row functions: sweeps over a few rows at a time, which are copied to buffers if necessary.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

#include "functions/rows/list.hpp"
#include "kernels/interface.hpp"
#include "kernels/rows/group.hpp"
#include "kernels/rows/packed.hpp"
#include "kernels/rows/road.hpp"
#include "kernels/rows/steps.hpp"
#include "kernels/rows/tile.hpp"
#include "kernels/staging/stage.hpp"

namespace fastact::kernels {
namespace {

/// Computes the rows of a call, a tile at a time, by the steps of a function.
template <class V>
class Engine : Tile<V> {
  using Base = Tile<V>;
  using Base::call_, Base::memory_, Base::road_, Base::traits_;
  using Base::held, Base::label, Base::operand;
  using typename Base::T;
  const Steps<V>& steps_;

 public:
  [[gnu::noinline]] Engine(const Steps<V>& steps, const RowCall& call, std::size_t rows)
      : Base(steps.traits, call, rows), steps_(steps) {
    const std::size_t groups = road_.at_once ? most_groups : road_.across ? steps.groups : 1;
    if (!road_.at_once || !traits_.by_element()) road_.rows = std::min(road_.rows, groups * V::size);
  }

  [[gnu::noinline]] void operator()(std::size_t begin, std::size_t end) const {
    const std::size_t rest = (end - begin) % road_.multiple, last = end - rest;
    for (std::size_t r = begin; r < last; r += road_.rows) tile(r, std::min(road_.rows, last - r));
    if (rest > 0) Engine(steps_, call_, rest)(last, end);
  }

 private:
  void tile(std::size_t r, std::size_t rows) const {
    Ends<V> ends;
    const bool copies = road_.copies && held();
    if (copies) this->bring_inputs(r, rows, 0, call_.length, false);
    compute(r, rows, ends);
    write(ends, r, rows);
    if (copies) this->bring_outputs(r, rows, 0, call_.length, false);
  }

  /// Computes some rows, out of line, so that the state leaves the stack: threads of some systems have a small one.
  [[gnu::noinline]] void compute(std::size_t r, std::size_t rows, Ends<V>& ends) const {
    State<V> state;
    if (!road_.at_once) return sweep(r, rows, state, ends);
    read_numbers(r, rows, state);
    const std::size_t joined = road_.joined ? rows : 1;
    steps_.at_once(this->group(r, rows / joined, 0, false), joined * call_.length, state, ends);
  }

  /// The sweeps over some rows: as many as a vector has lanes or, if vectors lie across them, several times as many.
  void sweep(std::size_t r, std::size_t rows, State<V>& state, Ends<V>& ends) const {
    const std::size_t vectors = vectors_across<V>(rows);
    const Pieces pieces(call_.length);
    if (traits_.has_largest) run(steps_.largest, r, rows, pieces, false, state, state.largest.bytes);
    read_numbers(r, rows, state);  // before an output replaces x
    for (std::size_t v = 0; v < vectors; ++v) steps_.before(v, state);
    for (bool again = traits_.has_sums; again;) {
      run(steps_.sum, r, rows, pieces, !traits_.has_late, state, state.sums.bytes);
      again = false;
      for (std::size_t v = 0; v < vectors && traits_.repeats; ++v) again |= steps_.repeats(v, state);
    }
    for (std::size_t v = 0; v < vectors; ++v) steps_.after(v, state, ends);
    if (!traits_.has_late) return;
    each_piece(pieces, [&](const Engine& own, std::size_t, std::size_t begin, std::size_t end) {
      own.each_stretch(r, rows, begin, end, true, [&](const Group<T>& group, std::size_t from, std::size_t to) {
        // The buffer of rows that are not held no longer has what the second sweep kept.
        if (traits_.keeps && !held() && (road_.staged[traits_.inputs] || group.copied))
          own.some(steps_.sum, group, from, to, true, state);
        steps_.late(group, lines(from), lines(to), own.of_lanes(state.after.bytes, steps_.size_of_after));
      });
    });
  }

  /// Runs a sweep over every piece of some rows, and joins the results for each vector of rows in order. Pieces that
  /// threads share have one vector of rows.
  void run(const Sweep<V>& sweep, std::size_t r, std::size_t rows, const Pieces& pieces, bool writes, State<V>& state,
           std::byte* result) const {
    alignas(V) std::byte of_piece[Pieces::most * most_summed * sizeof(V)];
    const bool is_shared = call_.split != nullptr && pieces.count > 1;
    each_piece(pieces, [&](const Engine& own, std::size_t piece, std::size_t begin, std::size_t end) {
      own.each_stretch(r, rows, begin, end, writes, [&](const Group<T>& group, std::size_t from, std::size_t to) {
        own.some(sweep, group, from, to, from == begin, state);
      });
      const std::size_t most = std::max(sweep.chains, road_.packed);
      if (road_.packed != 0) unpack<V>(own.packed_, own.memory_, sweep.size, most, rows);
      sweep.fold(own.memory_, std::min(most, end - begin), rows, road_.across, call_.length <= block,
                 is_shared ? of_piece + piece * sweep.size : result, is_shared || piece == 0);
    });
    for (std::size_t k = 0; k < pieces.count && is_shared; ++k)
      sweep.fold(of_piece + k * sweep.size, 1, 1, true, false, result, k == 0);
  }

  /// Calls body(engine, piece, begin, end) for every piece of the rows. Each thread has an engine with buffers of its
  /// own; one without memory for the buffers of this road leaves its pieces to this one.
  template <class Body>
  void each_piece(const Pieces& pieces, const Body& body) const {
    if (call_.split == nullptr || pieces.count == 1) return some_pieces(pieces, 0, pieces.count, body);
    std::array<bool, Pieces::most> is_left = {};
    const auto of_thread = [&](std::size_t first, std::size_t last) {
      if (memory_ != this->little_ && Scratch<T>::of_thread() == nullptr) {
        std::fill(is_left.begin() + first, is_left.begin() + last, true);
      } else {
        Engine own(*this);
        own.place();
        if (held()) own.arrays_ = this->arrays_;
        own.some_pieces(pieces, first, last, body);
      }
    };
    const auto call = [](const void* context, std::size_t first, std::size_t last) {
      (*static_cast<const decltype(of_thread)*>(context))(first, last);
    };
    call_.split(pieces.count, pieces.size, call, &of_thread);
    for (std::size_t i = 0; i < pieces.count; ++i) {
      if (is_left[i]) some_pieces(pieces, i, i + 1, body);
    }
  }
  /// It is out of line, because its calls are few and its code is large.
  template <class Body>
  [[gnu::noinline]] void some_pieces(const Pieces& pieces, std::size_t first, std::size_t last,
                                     const Body& body) const {
    for (std::size_t i = first; i < last; ++i) body(*this, i, pieces.begin(i), pieces.begin(i + 1));
  }
  /// Calls sweep(group, begin, end) for as much of the rows as fits into the buffers at a time.
  template <class Sweep>
  void each_stretch(std::size_t r, std::size_t rows, std::size_t begin, std::size_t end, bool writes,
                    Sweep sweep) const {
    if (held()) return sweep(this->group(r, rows, 0, false), begin, end);
    // Elements at the end that do not fill a packed line are copied, and so are the others of their block.
    const std::size_t part = road_.packed != 0 && end % road_.packed != 0 ? (end - begin) % block : 0;
    const std::size_t whole = end - part;
    std::size_t j = begin;
    do {  // at least once, even for empty rows
      const std::size_t to = j == whole ? end : std::min(whole, j + road_.length);
      const bool all = part > 0 && to == end;
      this->bring_inputs(r, rows, j, to, all);
      sweep(this->group(r, rows, j, all), j, to);
      if (writes) this->bring_outputs(r, rows, j, to, all);
      j = to;
    } while (j < end);
  }

  /// Adds the elements from begin to end of some rows to the partial results in this thread's memory.
  void some(const Sweep<V>& sweep, const Group<T>& group, std::size_t begin, std::size_t end, bool is_first,
            const State<V>& state) const {
    T* const partial = road_.packed != 0 ? this->packed_ : memory_;
    sweep.some(group, lines(begin), lines(end), is_first, of_lanes(state.before.bytes, steps_.size_of_before), partial);
  }
  /// Returns what a sweep needs to know of the rows of each vector. Packed rows have a copy of it for each of their
  /// lanes.
  const void* of_lanes(const void* of_rows, std::size_t size) const {
    if (road_.packed == 0) return of_rows;
    return pack<V>(of_rows, this->packed_ + Scratch<T>::sums, size, road_.pitch, road_.rows);
  }
  /// The number of lines that have so many elements of each row.
  std::size_t lines(std::size_t elements) const {
    return road_.packed == 0 ? elements : (elements + road_.packed - 1) / road_.packed;
  }

  /// Reads the inputs that have one number for each row, and the settings.
  void read_numbers(std::size_t r, std::size_t rows, State<V>& state) const {
    const std::size_t filled = vectors_across<Wide<V, 8>>(rows) * Wide<V, 8>::size;
    for (std::size_t k = 0; k < traits_.numbers; ++k) {
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
    const double rounded = static_cast<T>(call_.smoothing), n = static_cast<double>(call_.length);
    const double settings[] = {rounded, call_.smoothing - rounded, n};
    for (std::size_t k = 0; k < traits_.settings; ++k)
      std::fill_n(state.numbers[traits_.numbers + k], filled, static_cast<T>(settings[k]));
  }

  /// Writes what rows have beside their elements: the output at the label, and the result.
  void write(Ends<V>& ends, std::size_t r, std::size_t rows) const {
    if (traits_.writes_label) this->write_labels(ends.at_label, r, rows);
    if (ends.any_unusual) [[unlikely]]
      steps_.in_double != nullptr ? in_double(ends, r, rows) : this->keep_first(ends.unusual, r, rows);
    if ((traits_.maskable && call_.mask.data != nullptr) || (traits_.has_labels() && call_.ignored != nullptr))
        [[unlikely]]
      this->write_nothing(ends.largest, ends.result, r, rows);
    const Operand& result = call_.operands[traits_.place_of_result()];
    if (traits_.has_result && result.data != nullptr) write_result(ends, result, r, rows);
  }
  void write_result(Ends<V>& ends, const Operand& o, std::size_t r, std::size_t rows) const {
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

template <class V, class F>
void run_rows(const RowCall& call, std::size_t begin, std::size_t end) {
  static constexpr Steps<V> steps = StepsOf<V, F>::steps();
  Engine<V>(steps, call, end - begin)(begin, end);
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
