// The road of a call, that is, the way in which rows are read and computed. It depends on shape and strides alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <numeric>

#include "functions/rows/row_function.hpp"
#include "kernels/interface.hpp"

namespace fastact::kernels {
// Internal linkage, as in kernel.hpp.
namespace {

using rowwise::Traits;

/// Elements of a row that are summed in one chain for each lane; every other division of a row is in multiples of it.
constexpr std::size_t block = 256;
/// The number of chains in which the elements of a row are summed in turn. Vectors have as many lanes, or one lane.
template <class T>
constexpr std::size_t chains = 64 / sizeof(T);

/// A long row is summed in pieces, which several threads may share. Their number depends on the length alone.
struct Pieces {
  static constexpr std::size_t most = 16, least_length = 32768;
  std::size_t length, count, size;

  explicit Pieces(std::size_t n)
      : length(n), count(n < least_length ? 1 : most), size((n + block * count - 1) / (block * count) * block) {}
  std::size_t begin(std::size_t i) const { return std::min(length, i * size); }
};

struct Road {
  bool across;                 // a vector holds one element of each of several rows
  bool staged[most_operands];  // which arrays of rows are copied through a buffer,
  bool copies;                 // and whether any of them is
  bool joined;                 // contiguous rows are computed as one row
  std::size_t rows;            // the number of rows that are computed at a time
  std::size_t length;          // the number of elements of each row in the buffers
  bool at_once;                // all sweeps over the rows of a vector follow one another
  std::size_t unit;            // buffers have room for a multiple of so many rows, if vectors lie across them
  std::size_t multiple;        // this road takes a multiple of so many rows; the rest of a call takes another road
  std::size_t pitch;           // elements between two lines of a buffer
  bool kept_apart;             // the values kept between sweeps have a buffer of their own, of whole vectors
  std::size_t packed;          // if not 0, a line has so many elements of each row, one after another
};

/// The operand of a call that is array k of its rows.
inline const Operand& array_of(const RowCall& call, const Traits& traits, std::size_t k) {
  return call.operands[traits.place(k)];
}

/// Whether the values that are kept in this array would replace an input that is still needed.
inline bool is_overwritten(const RowCall& call, const Traits& traits, std::size_t k) {
  bool overwritten = false;
  for (std::size_t i = traits.repeats ? 0 : 1; i < traits.inputs; ++i)
    overwritten |= array_of(call, traits, k).data == array_of(call, traits, i).data;
  return overwritten && k >= traits.inputs && traits.keeps && traits.has_late;
}

/// Whether array k is an output in the buffer of an input, which it replaces element by element. Where inputs may have
/// to be computed again, it is not.
inline bool shares_buffer(const Road& road, const Traits& traits, std::size_t k) {
  return !traits.multiplies && !traits.repeats && k >= traits.inputs && road.staged[k] && k < 2 * traits.inputs &&
         road.staged[k - traits.inputs];
}

/// The road of a few long rows that lie side by side and fill memory, such as those along axis 0 of a matrix with ten
/// columns. A line has so many elements of each row that it fills whole vectors. To the sweeps each place in a line is
/// a row of its own, whose elements are all in one chain of the row that it belongs to: so sums have the same order as
/// those of other rows. For other rows, `packed` is 0.
inline Road packed_road(const RowCall& call, const Traits& traits, std::size_t rows, bool is_computed, std::size_t room,
                        std::size_t lanes) {
  const auto item = size_of(call.rows_format), apart = static_cast<std::ptrdiff_t>(rows);
  constexpr std::size_t most = 16;  // vectors in a line
  const std::size_t packed = rows <= lanes ? lanes : lanes / std::gcd(lanes, rows);
  bool fills = lanes > 1 && !traits.by_element() && !traits.targets && call.length > block && rows > 1 &&
               rows <= 4 * lanes && packed * rows <= most * lanes && (packed > 1 || !is_computed);
  const bool is_masked = call.mask.data != nullptr;
  if (is_masked) fills = fills && call.mask.row == 1 && call.mask.element == apart;
  for (std::size_t k = 0; fills && k < traits.arrays(); ++k) {
    const Operand& o = array_of(call, traits, k);
    fills = o.row == item && o.element == item * apart;
  }
  if (!fills) return {};
  Road road = {};
  road.across = true, road.unit = lanes, road.multiple = 1;
  road.rows = rows, road.length = call.length, road.packed = packed, road.pitch = packed * rows;
  for (std::size_t k = 0; k < traits.arrays(); ++k) {
    road.staged[k] = !is_computed || (is_masked && k < traits.inputs) || is_overwritten(call, traits, k);
    road.copies |= road.staged[k];
    if (road.staged[k]) road.length = room / 8 / rows / block * block;
  }
  return road;
}

/// `room` is the number of elements of the format `computed` that the buffers may have together.
[[gnu::noinline]] inline Road road(const RowCall& call, const Traits& traits, std::size_t rows, Format computed,
                                   std::size_t room, std::size_t lanes) {
  // Rows that would not fill a vector are transposed. `cached` elements of a row, or of every array of a gated unit,
  // fit into the first-level cache. Rows that lie side by side are copied in runs of at least `run` rows, which are
  // worth fetching from memory; rows whose elements are only counted are computed `many` vectors at a time. What rows
  // no longer than a block keep between sweeps stays in the first-level cache, so that each output is written once.
  constexpr std::size_t run = 64, many = 8;
  const std::size_t cached = traits.by_element() ? 2048 : 4096;
  const std::ptrdiff_t item = size_of(call.rows_format);
  const auto operand = [&](std::size_t k) -> const Operand& { return array_of(call, traits, k); };
  const auto is_nearer_across = [&](const Operand& o) { return std::abs(o.row) < std::abs(o.element); };

  if (const Road road = packed_road(call, traits, rows, call.rows_format == computed, room, lanes); road.packed != 0) {
    return road;
  }
  Road road = {};
  // Where only the largest element of a row is wanted, one sweep finds it, and half precision is compared as it is.
  const bool in_pieces = Pieces(call.length).count > 1, is_whole = call.split == nullptr || !in_pieces;
  const bool only_largest = traits.only_largest() && is_whole;
  const bool by_element = traits.by_element(), is_half = lanes > 1 && computed == Format::f32;
  const bool converts = by_element && is_half && call.rows_format != computed;  // unless any array is staged
  const bool is_computed = call.rows_format == computed || (only_largest && is_half) || converts;
  const bool keeps = traits.keeps && traits.has_late;
  const bool side_by_side = is_nearer_across(operand(0)) && is_nearer_across(operand(traits.arrays() - 1));
  const bool is_short = call.length <= lanes;
  bool in_place = is_computed;
  road.joined = by_element && call.length <= (computed == Format::f64 ? 2 : 1) * lanes;
  for (std::size_t k = 0; k < traits.arrays(); ++k) {
    in_place &= operand(k).row == item;
    road.joined &= operand(k).element == item;
  }
  road.across = lanes > 1 && !road.joined && (is_short ? rows >= lanes / 4 : side_by_side && rows >= lanes / 2);
  const bool along = lanes > 1 && !road.joined && !by_element && !road.across;
  const bool counts = traits.counts() && in_place && rows >= many * lanes;
  const bool together = along ? !in_pieces : road.across && !by_element && (counts || is_short);
  const std::size_t unit = road.unit = !together ? lanes : (traits.counts() ? many : 2) * lanes;
  // A few columns with more elements would displace each other in the cache.
  const bool stays = only_largest || (rows >= unit && (traits.counts() || !is_short || call.length <= lanes / 2));
  road.multiple = 1;
  std::size_t buffers = 0;
  for (std::size_t k = 0; k < traits.arrays(); ++k) {
    const Operand& o = operand(k);
    const bool is_masked = call.mask.data != nullptr && k < traits.inputs;
    const bool lies_apart = road.joined && o.row != item * static_cast<std::ptrdiff_t>(call.length);
    const bool is_in_place = road.across ? stays && o.row == item : o.element == item;
    road.staged[k] = !is_computed || !is_in_place || is_masked || lies_apart || is_overwritten(call, traits, k);
    if (road.across && !road.staged[k] && !only_largest) road.multiple = unit;
    buffers += road.staged[k] && !shares_buffer(road, traits, k);
  }
  if (converts && buffers > 0) {
    std::fill_n(road.staged, traits.arrays(), true);
    buffers = traits.arrays();
  }
  road.copies = buffers > 0;
  road.kept_apart = keeps && along && !road.staged[traits.inputs] && call.length <= block;
  const std::size_t fitting = room / std::max<std::size_t>(1, buffers + road.kept_apart);
  const auto whole = [](std::size_t n, std::size_t part) { return std::max(part, n / part * part); };
  const std::size_t several = cached / std::max<std::size_t>(1, call.length);
  if (road.across) {
    road.rows = whole(std::clamp(several, std::min(run, whole(rows + unit - 1, unit)), 4 * run), unit);
    while (road.rows > unit && call.length * (road.rows + lanes) > fitting) road.rows = whole(road.rows / 2, unit);
    road.pitch = road.rows + lanes;
    const bool fits = buffers == 0 || call.length * road.pitch <= fitting;
    road.length = fits ? call.length : whole(fitting / road.pitch, block);
  } else if (road.joined) {
    road.rows = std::max<std::size_t>(1, std::min(cached, fitting) / std::max<std::size_t>(1, call.length));
    road.length = road.pitch = call.length;
  } else {
    const std::size_t most = by_element ? std::min(fitting, cached) : fitting;
    road.length = buffers == 0 ? call.length : std::min(call.length, whole(most, block));
    road.rows = std::clamp<std::size_t>(several, 1, lanes);
    road.pitch = (road.length + lanes - 1) / lanes * lanes;
    if (buffers > 0 && road.rows * road.pitch > fitting) road.rows = 1;
  }
  road.at_once = road.length >= call.length && (by_element ? is_whole && !road.across : only_largest || together);
  if (buffers == 0 && (road.across || road.at_once)) road.rows = rows;
  return road;
}

}  // namespace
}  // namespace fastact::kernels
