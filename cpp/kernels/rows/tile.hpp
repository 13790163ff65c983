// A few rows of a call at a time, between memory and the sweeps.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <type_traits>

#include "kernels/interface.hpp"
#include "kernels/rows/fold.hpp"
#include "kernels/rows/road.hpp"
#include "kernels/rows/sweeps.hpp"
#include "kernels/staging/stage.hpp"

namespace fastact::kernels {
namespace {

/// A few rows of a call. Arrays that cannot be swept over in place are staged in buffers, either whole rows or, if
/// these do not fit, a stretch of them at a time.
template <class V, class F>
struct Tile {
  using T = typename V::Element;
  using S = Sweeps<V, F>;
  using Arrays = typename S::Arrays;
  static constexpr Shape shape = {F::rows, F::outputs, F::numbers + F::result_first, !F::has_largest && !F::has_sums,
                                  (!F::has_sums || F::keeps_first) && !F::has_late};
  static constexpr bool has_labels = F::labelled || F::targets;
  static constexpr std::size_t place_of_result = F::rows + F::numbers + (F::result_first ? 0 : F::outputs);

  const RowCall& call_;
  Road road_;
  bool held_ = false;  // whether whole rows are in the buffers
  Arrays arrays_;
  alignas(64) T little_[4096];  // used if no memory could be allocated

  Tile(const RowCall& call, std::size_t rows) : call_(call) {
    const bool has_scratch = Scratch<T>::of_thread() != nullptr;  // without it, one row at a time
    const std::size_t room = has_scratch ? Scratch<T>::size : std::size(little_), lanes = has_scratch ? V::size : 1;
    road_ = road(call, shape, rows, native<T>, room, lanes, F::keeps && F::has_late);
    place();
  }
  Tile(const Tile& other) : call_(other.call_), road_(other.road_), held_(other.held_), arrays_(other.arrays_) {}

  /// Places the buffers one after another.
  void place() {
    T* const scratch = Scratch<T>::of_thread();
    T* buffer = scratch != nullptr ? scratch + Scratch<T>::sums : little_;
    for (std::size_t k = 0; k < shape.rows(); ++k) {
      if (!road_.staged[k]) continue;
      const auto pitch = static_cast<std::ptrdiff_t>(road_.pitch);
      arrays_[k] = {buffer, pitch};
      buffer += (road_.across ? road_.length : road_.rows) * road_.pitch;
    }
    arrays_[S::kept] = {buffer, static_cast<std::ptrdiff_t>(road_.pitch)};
  }
  /// The distance from the first number of an array to element j of row i.
  std::ptrdiff_t offset(const Array<T>& array, std::size_t i, std::size_t j) const {
    const auto line = static_cast<std::ptrdiff_t>(road_.across ? j : i);
    return line * array.line + static_cast<std::ptrdiff_t>(road_.across ? i : j);
  }
  const Operand& operand(std::size_t k) const { return call_.operands[shape.place(k)]; }
  /// Array k in memory, beginning with row r.
  Array<T> in_memory(std::size_t k, std::size_t r) const {
    const Operand& o = operand(k);
    return {reinterpret_cast<T*>(o.at(r, 0)),
            (road_.across ? o.element : o.row) / static_cast<std::ptrdiff_t>(sizeof(T))};
  }
  Rectangle rectangle(const Operand& o, Format format, std::size_t r, std::size_t rows, std::size_t begin,
                      std::size_t end) const {
    const Rectangle of_rows = {format, o.at(r, begin), o.row, o.element, rows, end - begin};
    return road_.across ? of_rows.turned() : of_rows;
  }

  /// Whether short rows and their mask follow one another without a gap.
  bool are_joined(const Operand& o) const {
    const auto length = static_cast<std::ptrdiff_t>(call_.length), item = static_cast<std::ptrdiff_t>(sizeof(T));
    return call_.rows_format == native<T> && o.element == item && o.row == item * length && call_.mask.element == 1 &&
           call_.mask.row == length;
  }
  [[gnu::noinline]] void bring_inputs(std::size_t r, std::size_t rows, std::size_t begin, std::size_t end) const {
    for (std::size_t k = 0; k < F::rows; ++k) {
      if (!road_.staged[k]) continue;
      T* const to = arrays_[k].p;
      const Format format = F::targets && k == 2 ? native<T> : call_.rows_format;
      const Rectangle from = rectangle(operand(k), format, r, rows, begin, end);
      const bool is_ready = format == native<T> && from.element == sizeof(T);
      bool is_masked = call_.mask.data != nullptr;
      if (F::targets && operand(k).data == nullptr) {
        make_up(k, to, r, rows, begin, end);
      } else if (is_masked && road_.across && are_joined(operand(k))) {  // as one line, which is faster
        T line[sizeof little_ / sizeof(T)];
        Rectangle masked = from, mask = {format, call_.mask.at(r, 0), 0, 1, 1, rows * call_.length};
        masked.data = reinterpret_cast<char*>(line);
        apply_mask(mask, F::template filling<T>(k), from.data, 0, line, 0);
        bring<V, Way::in>(masked, to, road_.pitch);
        is_masked = false;
      } else if (!is_masked || !is_ready) {
        bring<V, Way::in>(from, to, road_.pitch);
      }
      if (is_masked) {
        const auto pitch = static_cast<std::ptrdiff_t>(road_.pitch * sizeof(T));
        const Rectangle mask = rectangle(call_.mask, call_.rows_format, r, rows, begin, end);
        apply_mask(mask, F::template filling<T>(k), is_ready ? from.data : reinterpret_cast<char*>(to),
                   is_ready ? from.line : pitch, to, road_.pitch);
      }
      // Lanes without a row are filled with zeros, because leftovers could be subnormal and slow.
      const std::size_t most = road_.at_once ? Wide<V>::size : V::size, filled = (rows + most - 1) / most * most;
      for (std::size_t j = 0; road_.across && j < end - begin; ++j) {
        for (std::size_t i = rows; i < filled; i += V::size) V(0.0).store(to + j * road_.pitch + i);
      }
    }
  }
  /// The label of row r. It may be out of range: callers check labels, but cannot check those of a lazy array.
  std::size_t label(std::size_t r) const {
    std::int64_t label;
    std::memcpy(&label, (F::targets ? call_.labels : call_.operands[F::rows]).at(r, 0), sizeof label);
    return static_cast<std::size_t>(label);
  }
  /// Fills the buffer of operands that have no data: targets are 1 at the labels and 0 elsewhere, weights are 1.
  void make_up(std::size_t k, T* to, std::size_t r, std::size_t rows, std::size_t begin, std::size_t end) const {
    const std::size_t lines = road_.across ? end - begin : rows, count = road_.across ? rows : end - begin;
    for (std::size_t i = 0; i < lines; ++i) std::fill_n(to + i * road_.pitch, count, k == 1 ? T{0} : T{1});
    for (std::size_t i = 0; k == 1 && i < rows; ++i) {
      const std::size_t j = label(r + i);
      if (j >= begin && j < end) to[road_.across ? (j - begin) * road_.pitch + i : i * road_.pitch + j - begin] = T{1};
    }
  }
  [[gnu::noinline]] void bring_outputs(std::size_t r, std::size_t rows, std::size_t begin, std::size_t end) const {
    for (std::size_t k = F::rows; k < shape.rows(); ++k) {
      const Rectangle to = rectangle(operand(k), call_.rows_format, r, rows, begin, end);
      if (road_.staged[k]) bring<V, Way::out>(to, arrays_[k].p, road_.pitch);
    }
  }

  /// Reads or writes an element of the output, which may still be in its buffer. Row r is row i of the tile.
  template <Way way>
  void move(std::size_t r, std::size_t i, std::size_t j, T& value) const {
    if (!held_ || !road_.staged[F::rows]) {
      move_line<V, way>(call_.rows_format, operand(F::rows).at(r, j), 0, &value, 1);
    } else {
      T& element = arrays_[F::rows].p[offset(arrays_[F::rows], i, j)];
      way == Way::in ? value = element : element = value;
    }
  }
  /// Sets all but the first of the nonzero elements of an output to 0, in rows that have several.
  template <class W>
  [[gnu::noinline]] void keep_first(W several, std::size_t r, std::size_t i, std::size_t rows) const {
    T count[W::size], value, zero = 0;
    several.store(count);
    for (std::size_t k = 0; k < rows; ++k) {
      for (std::size_t j = 0, found = 0; count[k] > 1 && j < call_.length; ++j) {
        move<Way::in>(r + k, i + k, j, value);
        if ((value != 0 || std::signbit(value)) && found++ > 0) move<Way::out>(r + k, i + k, j, zero);
      }
    }
  }

  template <class W>
  void write_labels(W at_label, std::size_t r, std::size_t i, std::size_t rows) const {
    T values[W::size];
    at_label.store(values);
    for (std::size_t k = 0; k < rows; ++k) {
      if (const std::size_t j = label(r + k); j < call_.length) move<Way::out>(r + k, i + k, j, values[k]);
    }
  }

  /// Writes the outputs of rows that the mask excludes entirely, and of rows whose label is ignored.
  template <class W>
  [[gnu::noinline]] void write_nothing(W largest, std::size_t r, std::size_t i, std::size_t rows) const {
    T m[W::size];
    largest.store(m);
    for (std::size_t k = 0; k < rows; ++k) {
      std::size_t j = 0;
      if constexpr (has_labels) {
        if (label(r + k) != static_cast<std::size_t>(*call_.ignored)) continue;
      } else {
        if (m[k] != -std::numeric_limits<T>::infinity()) continue;
        while (j < call_.length && *call_.mask.at(r + k, j) == 0) ++j;
        if (j < call_.length) continue;
      }
      T nothing = static_cast<T>(F::of_nothing);
      if constexpr (F::has_result) {
        const Operand& o = call_.operands[place_of_result];
        if (!F::targets || o.data != nullptr) move_line<V, Way::out>(call_.format, o.at(r + k, 0), 0, &nothing, 1);
      }
      for (j = 0; F::outputs > 0 && j < call_.length; ++j) move<Way::out>(r + k, i + k, j, nothing);
    }
  }

  /// The arrays of a group of rows that begins with row r, which is row i of the tile. The buffers begin with element
  /// `begin` of each row.
  Arrays of_group(std::size_t r, std::size_t i, std::size_t begin) const {
    Arrays arrays = arrays_;
    for (std::size_t k = 0; k < shape.rows(); ++k) {
      if (road_.staged[k]) {
        arrays[k].p += offset(arrays[k], i, 0) - offset(arrays[k], 0, begin);
      } else {
        arrays[k] = in_memory(k, r);
      }
    }
    if (!road_.kept_apart) {
      arrays[S::kept] = arrays[F::rows];
    } else {
      arrays[S::kept].p += offset(arrays[S::kept], i, 0);
    }
    return arrays;
  }
};

}  // namespace
}  // namespace fastact::kernels
