// Rows of norms as contiguous lines.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/interface.hpp"
#include "kernels/staging/stage.hpp"

namespace fastact::kernels {
namespace {

/// A block of several contiguous lines, from the first one's address on, that are `step` elements apart.
template <class T>
struct Block {
  T* data;
  std::ptrdiff_t step;
  T* line(std::size_t i) const { return data + static_cast<std::ptrdiff_t>(i) * step; }
};

/// A stretch of several rows as contiguous lines: in memory if the rows are contiguous and of the type in which kernels
/// compute, otherwise in a buffer.
template <class V>
class NormLines {
  using T = typename V::Element;
  const Segments* array_;
  std::size_t segment_;
  Format format_;
  bool in_place_;
  T* buffer_;
  std::size_t pitch_;

  /// Calls move(rectangle, buffer) for each part of a stretch that lies in one segment.
  template <class Move>
  void each_part(std::size_t row, std::size_t j, std::size_t rows, std::size_t count, Move move) const {
    if (in_place_) return;
    for (std::size_t from = j, some; from < j + count; from += some) {
      const std::size_t in_segment = from % segment_;
      some = std::min(segment_ - in_segment, j + count - from);
      const auto [o, stride] = *array_;
      char* const data = o.at(row, in_segment) + static_cast<std::ptrdiff_t>(from / segment_) * stride;
      move(Rectangle{format_, data, o.row, o.element, rows, some}, buffer_ + (from - j));
    }
  }

 public:
  NormLines() = default;
  static bool are_in_place(const Segments& array, const NormCall& call) {
    return call.format == native<T> && array.rows.element == std::ptrdiff_t{sizeof(T)} && call.segment >= call.length;
  }
  NormLines(const Segments& array, const NormCall& call, T* buffer, std::size_t pitch)
      : array_(&array),
        segment_(call.segment),
        format_(call.format),
        in_place_(are_in_place(array, call)),
        buffer_(buffer),
        pitch_(pitch) {}
  [[gnu::noinline]] void read(std::size_t row, std::size_t j, std::size_t rows, std::size_t count) const {
    each_part(row, j, rows, count, [&](const Rectangle& from, T* to) { bring<V, Way::in>(from, to, pitch_); });
  }
  [[gnu::noinline]] void write(std::size_t row, std::size_t j, std::size_t rows, std::size_t count) const {
    each_part(row, j, rows, count, [&](const Rectangle& to, T* from) { bring<V, Way::out>(to, from, pitch_); });
  }
  /// The address of element j of row `row` + i, in a stretch that begins with element `begin`.
  T* at(std::size_t row, std::size_t i, std::size_t begin, std::size_t j) const {
    return in_place_ ? reinterpret_cast<T*>(array_->rows.at(row + i, j)) : buffer_ + i * pitch_ + (j - begin);
  }
  /// The block that begins there.
  Block<T> from(std::size_t row, std::size_t i, std::size_t begin, std::size_t j) const {
    constexpr auto item = std::ptrdiff_t{sizeof(T)};
    return {at(row, i, begin, j), in_place_ ? array_->rows.row / item : static_cast<std::ptrdiff_t>(pitch_)};
  }
};

}  // namespace
}  // namespace fastact::kernels
