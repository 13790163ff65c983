// How a call of a row function is gone about: a function of its shape and strides alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>

#include "kernels/interface.hpp"

namespace fastact::kernels {
// Internal linkage, as in kernel.hpp.
namespace {

/// Elements of a row that are summed in one chain for each lane; every other division of a row is in multiples of it.
constexpr std::size_t block = 256;
/// A row's elements are summed in so many chains, in turn. Vectors have as many lanes, or else one lane.
template <class T>
constexpr std::size_t chains = 64 / sizeof(T);

/// What a function of rows has of arrays that are rows, and what it makes of one row; `numbers` are the operands
/// between the two.
struct Shape {
  std::size_t inputs, outputs, numbers;
  bool by_element = false;  // an element of the outputs depends on those in its place alone
  bool counts = false;      // if anything, of a row's elements: they may be taken in any order
  std::size_t rows() const { return inputs + outputs; }
  /// The place of an array of rows among the call's operands.
  std::size_t place(std::size_t k) const { return k < inputs ? k : k + numbers; }
};

struct Road {
  bool across;                 // a vector holds an element each of several rows, rather than several of one
  bool staged[most_operands];  // which arrays of rows are brought through a buffer
  bool joined;                 // rows follow one another without a gap, as one
  std::size_t rows;            // so many rows at a time,
  std::size_t length;          // and so much of them
  bool at_once;                // all sweeps over a vector's rows follow one another
  std::size_t multiple;        // of it are the rows of a call; those that are left over go another road
  std::size_t pitch;           // elements between two lines of a buffer
  bool kept_apart;             // what one sweep keeps for the next has a buffer of its own, of whole vectors
};

/// `room` elements of the format computed in are there for the buffers. Vectors have `lanes` lanes.
[[gnu::noinline]] inline Road road(const RowCall& call, const Shape& shape, std::size_t rows, Format computed,
                                   std::size_t room, std::size_t lanes, bool keeps) {
  // Rows that would not fill a vector are transposed. Rows go through the first-level cache so many elements at a time;
  // so many rows side by side are read from memory in runs that are worth fetching; those that are counted, so many
  // vectors at a time. What was stored as part of a vector cannot be loaded again at once, which counts in rows of few
  // elements.
  constexpr std::size_t cached = 4096, run = 64, few = 128, many = 8;
  const std::ptrdiff_t item = size_of(call.rows_format);
  const auto operand = [&](std::size_t k) -> const Operand& { return call.operands[shape.place(k)]; };
  const auto is_nearer_across = [&](const Operand& o) { return std::abs(o.row) < std::abs(o.element); };

  Road road = {};
  const bool side_by_side = is_nearer_across(operand(0)) && is_nearer_across(operand(shape.rows() - 1));
  road.joined = shape.by_element && call.length <= lanes;
  for (std::size_t k = 0; k < shape.rows(); ++k) road.joined &= operand(k).element == item;
  road.across =
      lanes > 1 && !road.joined && (call.length <= lanes ? rows >= lanes / 4 : side_by_side && rows >= lanes / 2);
  bool in_place = call.rows_format == computed;
  for (std::size_t k = 0; k < shape.rows(); ++k) in_place &= operand(k).row == item;
  const bool counts = shape.counts && in_place && rows >= many * lanes, is_short = call.length <= lanes;
  const std::size_t unit = counts ? many * lanes : is_short ? 2 * lanes : lanes;  // rows that are computed at a time
  road.at_once = road.across && (counts || is_short);
  // A few columns of more elements would crowd each other out of the cache.
  const bool stays = rows >= unit && (shape.counts || !is_short || call.length <= lanes / 2);
  road.multiple = 1;
  std::size_t buffers = 0;
  for (std::size_t k = 0; k < shape.rows(); ++k) {
    const Operand& o = operand(k);
    const bool is_masked = call.mask.data != nullptr && k < shape.inputs;
    bool is_overwritten = false;  // what is kept there would replace an input that is still needed
    for (std::size_t i = 1; i < shape.inputs; ++i) is_overwritten |= k >= shape.inputs && o.data == operand(i).data;
    const bool lies_apart = road.joined && o.row != item * static_cast<std::ptrdiff_t>(call.length);
    const bool is_in_place = road.across ? stays && o.row == item : o.element == item;
    road.staged[k] =
        call.rows_format != computed || !is_in_place || is_masked || lies_apart || (keeps && is_overwritten);
    if (road.across && !road.staged[k]) road.multiple = unit;
    buffers += road.staged[k];
  }
  road.kept_apart =
      keeps && !road.across && !road.staged[shape.inputs] && call.length <= few && call.length % lanes != 0;
  buffers += road.kept_apart;
  const std::size_t fitting = room / std::max<std::size_t>(1, buffers);
  const auto whole = [](std::size_t n, std::size_t part) { return std::max(part, n / part * part); };
  const std::size_t several = cached / std::max<std::size_t>(1, call.length);
  if (road.across) {
    road.rows = whole(std::clamp(several, std::min(run, whole(rows + unit - 1, unit)), 4 * run), unit);
    while (road.rows > unit && call.length * (road.rows + lanes) > fitting) road.rows = whole(road.rows / 2, unit);
    road.pitch = road.rows + lanes;
    const bool fits = buffers == 0 || call.length * road.pitch <= fitting;
    road.length = fits ? call.length : whole(fitting / road.pitch, block);
    if (buffers == 0) road.rows = rows;
  } else if (road.joined) {
    road.rows = std::max<std::size_t>(1, std::min(cached, fitting) / std::max<std::size_t>(1, call.length));
    road.length = road.pitch = call.length;
  } else {
    road.rows = std::clamp<std::size_t>(several, 1, lanes);
    road.length = buffers == 0 ? call.length : std::min(call.length, whole(fitting, block));
    road.pitch = (road.length + lanes - 1) / lanes * lanes;
    if (road.rows * road.pitch > fitting) road.rows = 1;
  }
  return road;
}

/// A long row is summed in pieces, which threads may share; their number depends on its length alone. What has no order
/// may be one.
struct Pieces {
  static constexpr std::size_t most = 16, least_length = 32768;
  std::size_t length, count, size;

  explicit Pieces(std::size_t n, bool one = false)
      : length(n), count(one || n < least_length ? 1 : most), size((n + block * count - 1) / (block * count) * block) {}
  std::size_t begin(std::size_t i) const { return std::min(length, i * size); }
};

}  // namespace
}  // namespace fastact::kernels
