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
#include "kernels/rows/stage.hpp"
#include "kernels/rows/sweeps.hpp"

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
  /// A vector has elements of several rows, or is one element.
  bool is_across() const { return road_.across || V::size == 1; }

  const RowCall& call_;
  Road road_;
  bool held_ = false;  // the rows of a tile are in their buffers from one end to the other
  Arrays arrays_;
  alignas(64) T little_[4096];  // where there is no memory

  Tile(const RowCall& call, std::size_t rows) : call_(call) {
    T* const scratch = Scratch<T>::of_thread();
    const std::size_t room = scratch != nullptr ? Scratch<T>::size : std::size(little_);
    road_ = road(call, shape, rows, native<T>, room, V::size, F::keeps && F::has_late);
    place(scratch != nullptr ? scratch : little_);
  }
  Tile(const Tile& other) : call_(other.call_), road_(other.road_), held_(other.held_), arrays_(other.arrays_) {}

  /// Buffers follow one another.
  void place(T* buffer) {
    for (std::size_t k = 0; k < shape.rows(); ++k) {
      if (!road_.staged[k]) continue;
      const auto pitch = static_cast<std::ptrdiff_t>(road_.pitch);
      arrays_[k] = {buffer, road_.across ? 1 : pitch};
      buffer += (road_.across ? road_.length : road_.rows) * road_.pitch;
    }
    arrays_[S::kept] = {buffer, static_cast<std::ptrdiff_t>(road_.pitch)};
  }
  std::ptrdiff_t element() const { return road_.across ? static_cast<std::ptrdiff_t>(road_.pitch) : 1; }
  const Operand& operand(std::size_t k) const { return call_.operands[shape.place(k)]; }
  /// As an array whose first element is that of row r.
  Array<T> in_memory(std::size_t k, std::size_t r) const {
    const Operand& o = operand(k);
    return {reinterpret_cast<T*>(o.at(r, 0)), o.row / static_cast<std::ptrdiff_t>(sizeof(T))};
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
        T line[std::extent_v<decltype(little_)>];
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
      // Lanes without a row shall not slow down those with one.
      if (const std::size_t lanes = rows % Wide<V>::size; road_.across && lanes != 0) {
        for (std::size_t j = 0; j < end - begin; ++j)
          std::fill_n(to + j * road_.pitch + rows, Wide<V>::size - lanes, T{0});
      }
    }
  }
  /// Callers refuse labels out of range, but a lazy array's have not been seen.
  std::size_t label(std::size_t r) const {
    std::int64_t label;
    std::memcpy(&label, (F::targets ? call_.labels : call_.operands[F::rows]).at(r, 0), sizeof label);
    return static_cast<std::size_t>(label);
  }
  /// Targets that are 1 at the labels, or weights that are 1.
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

  /// An element of the output, which may be in its buffer still; row r is row i of the tile.
  template <Way way>
  void move(std::size_t r, std::size_t i, std::size_t j, T& value) const {
    const auto [p, row] = arrays_[F::rows];
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(i) * row + static_cast<std::ptrdiff_t>(j) * element();
    if (!held_ || !road_.staged[F::rows]) {
      move_line<V, way>(call_.rows_format, operand(F::rows).at(r, j), 0, &value, 1);
    } else {
      way == Way::in ? value = p[at] : p[at] = value;
    }
  }
  /// Of the elements of an output that are not 0 only the first, where there are several.
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

  /// The arrays of a group of rows, from row r, which is row i of the tile, on; element `begin` is the first in
  /// buffers.
  Arrays of_group(std::size_t r, std::size_t i, std::size_t begin) const {
    Arrays arrays = arrays_;
    for (std::size_t k = 0; k < shape.rows(); ++k) {
      if (road_.staged[k]) {
        arrays[k].p += static_cast<std::ptrdiff_t>(i) * arrays[k].row - static_cast<std::ptrdiff_t>(begin) * element();
      } else {
        arrays[k] = in_memory(k, r);
      }
    }
    if (!road_.kept_apart) {
      arrays[S::kept] = arrays[F::rows];
    } else {
      arrays[S::kept].p += static_cast<std::ptrdiff_t>(i) * arrays[S::kept].row;
    }
    return arrays;
  }
  /// sweep(arrays, begin, end) over as much as is in buffers at a time.
  template <class Sweep>
  void each_stretch(std::size_t r, std::size_t i, std::size_t rows, std::size_t begin, std::size_t end, bool writes,
                    Sweep sweep) const {
    if (held_) return sweep(of_group(r, i, 0), begin, end);
    std::size_t j = begin;
    do {  // also where there is nothing
      const std::size_t to = std::min(end, j + road_.length);
      bring_inputs(r, rows, j, to);
      sweep(of_group(r, i, j), j, to);
      if (writes) bring_outputs(r, rows, j, to);
      j = to;
    } while (j < end);
  }
  /// body(tile, piece, begin, end) for every piece of the rows, each of one thread and with its buffers.
  template <class Body>
  void each_piece(const Pieces& pieces, const Body& body) const {
    if (call_.split == nullptr || pieces.count == 1) return some_pieces<Body>(*this, pieces, 0, pieces.count, &body);
    share_pieces(pieces, some_pieces<Body>, &body);
  }
  /// Out of line, like what brings the rows: the calls are few, and their bodies large.
  template <class Body>
  [[gnu::noinline]] static void some_pieces(const Tile& tile, const Pieces& pieces, std::size_t first, std::size_t last,
                                            const void* body) {
    for (std::size_t i = first; i < last; ++i)
      (*static_cast<const Body*>(body))(tile, i, pieces.begin(i), pieces.begin(i + 1));
  }
  [[gnu::noinline]] void share_pieces(const Pieces& pieces,
                                      void (*some)(const Tile&, const Pieces&, std::size_t, std::size_t, const void*),
                                      const void* body) const {
    const auto of_thread = [&](std::size_t first, std::size_t last) {
      Tile own(*this);
      T* const scratch = Scratch<T>::of_thread();
      if (!held_) own.place(scratch != nullptr ? scratch : own.little_);
      some(own, pieces, first, last, body);
    };
    using OfThread = decltype(of_thread);
    const auto call = [](const void* context, std::size_t first, std::size_t last) {
      (*static_cast<const OfThread*>(context))(first, last);
    };
    call_.split(pieces.count, pieces.size, call, &of_thread);
  }

  /// X joined from what sweep(arrays, begin, end, is_first, partial) gives for every piece of some rows, in turn.
  template <class X, class Join, class InBlock, class Sweep>
  X joined(std::size_t r, std::size_t i, std::size_t rows, const Pieces& pieces, bool writes, Join join,
           InBlock in_block, Sweep sweep) const {
    std::array<X, Pieces::most> of_piece;
    each_piece(pieces, [&](const Tile& tile, std::size_t piece, std::size_t begin, std::size_t end) {
      typename S::template Partial<X> partial;
      tile.each_stretch(r, i, rows, begin, end, writes, [&](const Arrays& arrays, std::size_t from, std::size_t to) {
        sweep(arrays, from, to, from == begin, partial);
      });
      const auto fold_by = [&](auto by) { return fold<V>(by, partial, end - begin, rows, road_.across); };
      if constexpr (std::is_same_v<Join, InBlock>) {
        of_piece[piece] = fold_by(join);
      } else {
        of_piece[piece] = call_.length <= block ? fold_by(in_block) : fold_by(join);
      }
    });
    for (std::size_t k = 1; k < pieces.count; ++k) of_piece[0] = join(of_piece[0], of_piece[k]);
    return of_piece[0];
  }
};

}  // namespace
}  // namespace fastact::kernels
