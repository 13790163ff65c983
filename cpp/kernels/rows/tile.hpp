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
#include "kernels/rows/group.hpp"
#include "kernels/rows/road.hpp"
#include "kernels/staging/stage.hpp"

namespace fastact::kernels {
namespace {

/// A few rows of a call. Arrays that cannot be swept over in place are staged in buffers, either whole rows or, if
/// these do not fit, a stretch of them at a time.
template <class V>
struct Tile {
  using T = typename V::Element;

  const Traits& traits_;
  const RowCall& call_;
  Road road_;
  T* memory_;  // for partial results of sweeps, followed by the buffers
  T* packed_;  // the memory behind them: of packed rows, for partial results and for what vectors hold of the rows
  Arrays<T> arrays_;
  /// Used where no memory could be allocated: room for the results of one vector of rows, and for one row at a time.
  static constexpr std::size_t little_sums = most_summed * chains<T> * chains<T>;
  alignas(64) T little_[little_sums + 2048];

  Tile(const Traits& traits, const RowCall& call, std::size_t rows) : traits_(traits), call_(call) {
    const bool has_scratch = Scratch<T>::of_thread() != nullptr;
    // Rows that do not fit into a quarter of the memory would leave the second-level cache.
    const std::size_t room = has_scratch ? Scratch<T>::size / 4 : std::size(little_) - little_sums;
    road_ = road(call, traits, rows, native<T>, room, has_scratch ? V::size : 1);
    place();
  }
  /// Places the buffers one after another in the memory of this thread. Outputs share those of inputs, so that all fit
  /// into a nearer cache.
  void place() {
    T* const scratch = Scratch<T>::of_thread();
    memory_ = scratch != nullptr ? scratch : little_;
    T* buffer = memory_ + (scratch != nullptr ? Scratch<T>::sums : little_sums);
    const auto pitch = static_cast<std::ptrdiff_t>(road_.pitch);
    for (std::size_t k = 0; k < traits_.arrays(); ++k) {
      if (shares_buffer(road_, traits_, k)) {
        arrays_[k] = arrays_[k - traits_.inputs];
        continue;
      }
      arrays_[k] = {buffer, pitch};
      if (road_.packed != 0) {
        buffer += (road_.staged[k] ? road_.length : block) * road_.rows;
      } else if (road_.staged[k]) {
        buffer += (road_.across ? road_.length : road_.rows) * road_.pitch;
      }
    }
    arrays_[traits_.arrays()] = {buffer, pitch};
    packed_ = buffer;
  }
  /// Whether whole rows are in the buffers.
  bool held() const { return road_.packed == 0 && road_.length >= call_.length; }
  /// The distance from the first number of a buffer to element j of row i.
  std::size_t offset(std::size_t i, std::size_t j) const {
    return road_.across ? j * road_.pitch + i : i * road_.pitch + j;
  }
  const Operand& operand(std::size_t k) const { return call_.operands[traits_.place(k)]; }
  Rectangle rectangle(const Operand& o, Format format, std::size_t r, std::size_t rows, std::size_t begin,
                      std::size_t end) const {
    if (road_.packed != 0) return {format, o.at(r, begin), 0, o.row, 1, rows * (end - begin)};
    const Rectangle of_rows = {format, o.at(r, begin), o.row, o.element, rows, end - begin};
    return road_.across ? of_rows.transposed() : of_rows;
  }

  /// Copies the inputs that are staged, or all of them.
  [[gnu::noinline]] void bring_inputs(std::size_t r, std::size_t rows, std::size_t begin, std::size_t end,
                                      bool all) const {
    for (std::size_t k = 0; k < traits_.inputs; ++k) {
      if (!road_.staged[k] && !all) continue;
      T* const to = arrays_[k].p;
      const Format format = traits_.targets && k == 2 ? native<T> : call_.rows_format;
      const Rectangle from = rectangle(operand(k), format, r, rows, begin, end);
      if (traits_.targets && operand(k).data == nullptr) {
        make_up(k, to, r, rows, begin, end);
      } else if (call_.mask.data == nullptr) {
        bring<V, Way::in>(from, to, road_.pitch);
      } else {
        const Rectangle mask = rectangle(call_.mask, format, r, rows, begin, end);
        const T filling = k == 0 ? static_cast<T>(traits_.filling) : T{0};
        T* const line = held() ? Scratch<T>::of_thread() : nullptr;  // no sweep uses that memory yet
        bring_masked<V>(from, mask, filling, to, road_.pitch, line);
      }
      if (road_.packed != 0) {
        const std::size_t count = rows * (end - begin), whole = (count + road_.pitch - 1) / road_.pitch * road_.pitch;
        std::fill(to + count, to + whole, k == 0 ? static_cast<T>(traits_.filling) : T{0});
        continue;
      }
      // Lanes without a row are filled with zeros, because leftovers could be subnormal and slow.
      const std::size_t filled = (rows + road_.unit - 1) / road_.unit * road_.unit;
      for (std::size_t j = 0; road_.across && j < end - begin; ++j) {
        for (std::size_t i = rows; i < filled; i += V::size) V(0.0).store(to + j * road_.pitch + i);
      }
    }
  }
  /// The label of row r. It may be out of range: callers check labels, but cannot check those of a lazy array.
  std::size_t label(std::size_t r) const {
    std::int64_t label;
    std::memcpy(&label, (traits_.targets ? call_.labels : call_.operands[traits_.inputs]).at(r, 0), sizeof label);
    return static_cast<std::size_t>(label);
  }
  /// Fills the buffer of operands that have no data: targets are 1 at the labels and 0 elsewhere, weights are 1.
  void make_up(std::size_t k, T* to, std::size_t r, std::size_t rows, std::size_t begin, std::size_t end) const {
    const std::size_t lines = road_.across ? end - begin : rows, count = road_.across ? rows : end - begin;
    for (std::size_t i = 0; i < lines; ++i) std::fill_n(to + i * road_.pitch, count, k == 1 ? T{0} : T{1});
    for (std::size_t i = 0; k == 1 && i < rows; ++i) {
      const std::size_t j = label(r + i);
      if (j >= begin && j < end) to[offset(i, j - begin)] = T{1};
    }
  }
  [[gnu::noinline]] void bring_outputs(std::size_t r, std::size_t rows, std::size_t begin, std::size_t end,
                                       bool all) const {
    for (std::size_t k = traits_.inputs; k < traits_.arrays(); ++k) {
      const Rectangle to = rectangle(operand(k), call_.rows_format, r, rows, begin, end);
      if (road_.staged[k] || all) bring<V, Way::out>(to, arrays_[k].p, road_.pitch);
    }
  }

  /// Reads or writes an element of the output, which may still be in its buffer. Row r is the first of the tile.
  template <Way way>
  void move(std::size_t r, std::size_t i, std::size_t j, T& value) const {
    const std::size_t output = traits_.inputs;
    if (!held() || !road_.staged[output]) {
      move_line<V, way>(call_.rows_format, operand(output).at(r + i, j), 0, &value, 1);
    } else {
      T& element = arrays_[output].p[offset(i, j)];
      way == Way::in ? value = element : element = value;
    }
  }
  /// Sets all but the first of the nonzero elements of an output to 0, in rows that have several.
  void keep_first(const T* has_several, std::size_t r, std::size_t rows) const {
    T value, zero = 0;
    for (std::size_t k = 0; k < rows; ++k) {
      for (std::size_t j = 0, found = 0; has_several[k] != 0 && j < call_.length; ++j) {
        move<Way::in>(r, k, j, value);
        if ((value != 0 || std::signbit(value)) && found++ > 0) move<Way::out>(r, k, j, zero);
      }
    }
  }

  void write_labels(T* values, std::size_t r, std::size_t rows) const {
    for (std::size_t k = 0; k < rows; ++k) {
      if (const std::size_t j = label(r + k); j < call_.length) move<Way::out>(r, k, j, values[k]);
    }
  }

  /// Sets the outputs and results of rows that the mask excludes entirely, and of rows whose label is ignored.
  void write_nothing(const T* largest, T* results, std::size_t r, std::size_t rows) const {
    for (std::size_t k = 0; k < rows; ++k) {
      std::size_t j = 0;
      if (traits_.has_labels()) {
        if (label(r + k) != static_cast<std::size_t>(*call_.ignored)) continue;
      } else {
        if (largest[k] != -std::numeric_limits<T>::infinity()) continue;
        while (j < call_.length && *call_.mask.at(r + k, j) == 0) ++j;
        if (j < call_.length) continue;
      }
      T nothing = static_cast<T>(traits_.of_nothing);
      results[k] = nothing;
      for (j = 0; traits_.outputs > 0 && j < call_.length; ++j) move<Way::out>(r, k, j, nothing);
    }
  }

  /// The rows of the tile that begins with row r. The buffers, of all arrays or of those that are staged, begin with
  /// element `begin` of each row. It is out of line, because each of its many calls serves a whole sweep.
  [[gnu::noinline]] Group<T> group(std::size_t r, std::size_t rows, std::size_t begin, bool all) const {
    const Format format = road_.staged[0] ? native<T> : call_.rows_format;
    Group<T> group = {road_.across, road_.kept_apart, all, rows, format, arrays_};
    if (road_.packed != 0) group.packed = road_.packed, group.rows = road_.pitch, begin /= road_.packed;
    Arrays<T>& arrays = group.arrays;
    const std::size_t kept = traits_.arrays();
    for (std::size_t k = 0; k < kept; ++k) {
      const Operand& o = operand(k);
      if (road_.staged[k] || all) {
        arrays[k].p -= offset(0, begin);
      } else {
        arrays[k].p = reinterpret_cast<T*>(o.at(r, 0));
        arrays[k].line = (road_.across ? o.element : o.row) / size_of(call_.rows_format);
        if (road_.packed != 0) arrays[k].line *= static_cast<std::ptrdiff_t>(road_.packed);
      }
    }
    if (!road_.kept_apart) arrays[kept] = arrays[traits_.inputs];
    return group;
  }
};

}  // namespace
}  // namespace fastact::kernels
