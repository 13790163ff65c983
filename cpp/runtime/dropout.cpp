// Divides a call of dropout into runs of consecutive numbers, and these among threads.
#include "runtime/dropout.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "runtime/packing.hpp"
#include "runtime/streaming.hpp"
#include "runtime/threads.hpp"

namespace fastact::runtime {
namespace {

using kernels::DropoutCall;
using kernels::Format;

/// The cost of an element in picoseconds.
constexpr std::size_t dropout_element_cost = 500;

/// The number of elements of a tile, which fits into the first-level cache, and the largest number in one of its rows.
constexpr std::size_t tile_size = 4096, tile_width = 256;

/// Joins two axes if one step along the outer axis equals as many steps along the inner axis as it has elements, and
/// leaves out axes of one element. The numbers of the stream are consecutive along the last axis of the result.
std::vector<DropoutAxis> simplified(const std::vector<DropoutAxis>& axes) {
  std::vector<DropoutAxis> result;
  for (const DropoutAxis& inner : axes) {
    if (inner.length == 1) continue;
    const auto n = static_cast<std::ptrdiff_t>(inner.length);
    if (!result.empty() && result.back().x == n * inner.x && result.back().y == n * inner.y &&
        result.back().place == inner.length * inner.place) {
      result.back() = {result.back().length * inner.length, inner.x, inner.y, inner.place};
    } else {
      result.push_back(inner);
    }
  }
  if (result.empty() || result.back().place != 1) result.push_back({1, 0, 0, 1});
  return result;
}

/// Drops elements of arrays of one format.
template <class T>
struct Drop {
  const DropoutCall& call;
  Format stored;
  kernels::DropoutKernel kernel;

  bool is_direct(const DropoutAxis& run) const {
    return stored == format<T> && (run.length == 1 || (run.x == sizeof(T) && run.y == sizeof(T)));
  }

  /// Computes elements whose numbers are consecutive.
  void compute(const char* x, char* y, const DropoutAxis& run, std::uint64_t first, bool streaming) const {
    if (is_direct(run)) return kernel(call, x, y, run.length, first, streaming);
    alignas(64) T buffer[block];
    for (std::size_t i = 0, count; i < run.length; i += count) {
      count = std::min(block, run.length - i);
      const auto offset = static_cast<std::ptrdiff_t>(i);
      load_array(stored, ArrayType::as_format, x + offset * run.x, run.x, buffer, count);
      kernel(call, buffer, buffer, count, first + i, false);
      store_array(stored, buffer, y + offset * run.y, run.y, count);
    }
  }

  /// Computes `rows.length` runs of consecutive numbers, a tile at a time. Memory is read and written along the axis
  /// with the smaller stride.
  void compute(const char* x, char* y, const DropoutAxis& rows, const DropoutAxis& run, std::uint64_t first) const {
    alignas(64) T tile[tile_size], column[block];
    const bool by_rows = std::abs(run.x) <= std::abs(rows.x);
    for (std::size_t j = 0, count; j < run.length; j += count) {
      count = std::min(tile_width, run.length - j);
      const auto offset = static_cast<std::ptrdiff_t>(j);
      const char* const from = x + offset * run.x;
      char* const to = y + offset * run.y;
      const auto each = [](std::size_t n, auto f) {
        for (std::size_t i = 0; i < n; ++i) f(i, static_cast<std::ptrdiff_t>(i));
      };
      if (by_rows) {
        each(rows.length, [&](std::size_t r, std::ptrdiff_t at) {
          load_array(stored, ArrayType::as_format, from + at * rows.x, run.x, tile + r * count, count);
        });
      } else {
        each(count, [&](std::size_t k, std::ptrdiff_t at) {
          load_array(stored, ArrayType::as_format, from + at * run.x, rows.x, column, rows.length);
          for (std::size_t r = 0; r < rows.length; ++r) tile[r * count + k] = column[r];
        });
      }
      if (count == rows.place) {
        kernel(call, tile, tile, rows.length * count, first, false);
      } else {
        each(rows.length, [&](std::size_t r, std::ptrdiff_t) {
          kernel(call, tile + r * count, tile + r * count, count, first + r * rows.place + j, false);
        });
      }
      if (by_rows) {
        each(rows.length, [&](std::size_t r, std::ptrdiff_t at) {
          store_array(stored, tile + r * count, to + at * rows.y, run.y, count);
        });
      } else {
        each(count, [&](std::size_t k, std::ptrdiff_t at) {
          for (std::size_t r = 0; r < rows.length; ++r) column[r] = tile[r * count + k];
          store_array(stored, column, to + at * run.y, rows.y, rows.length);
        });
      }
    }
  }

  void operator()(const char* x, char* y, std::uint64_t first, std::vector<DropoutAxis> axes) const {
    const DropoutAxis run = axes.back();
    axes.pop_back();
    if (axes.empty()) {
      const void* const input = x;
      const auto item = static_cast<std::size_t>(kernels::size_of(stored));
      const bool streaming = is_direct(run) && streams(std::span(&input, 1), y, run.length, item);
      return split(run.length, {dropout_element_cost}, [&](std::size_t begin, std::size_t end) {
        const auto offset = static_cast<std::ptrdiff_t>(begin);
        compute(x + offset * run.x, y + offset * run.y, {end - begin, run.x, run.y, 1}, first + begin, streaming);
      });
    }
    const auto nearest = std::ranges::min_element(axes, {}, [](const DropoutAxis& axis) { return std::abs(axis.x); });
    const DropoutAxis rows = *nearest;
    axes.erase(nearest);
    const std::size_t height = std::min(block, tile_size / std::min(tile_width, run.length));
    const std::size_t parts = (rows.length + height - 1) / height;
    std::size_t tiles = parts;
    for (const DropoutAxis& axis : axes) tiles *= axis.length;
    const std::size_t cost = std::min(height, rows.length) * run.length * dropout_element_cost;
    split(tiles, {.cost = cost, .border = 1}, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const char* from = x;
        char* to = y;
        std::uint64_t place = first;
        const auto advance = [&](const DropoutAxis& axis, std::size_t index) {
          const auto steps = static_cast<std::ptrdiff_t>(index);
          from += steps * axis.x, to += steps * axis.y, place += index * axis.place;
        };
        std::size_t rest = i / parts;
        for (std::size_t k = axes.size(); k-- > 0; rest /= axes[k].length) advance(axes[k], rest % axes[k].length);
        const std::size_t row = i % parts * height;
        advance(rows, row);
        const std::size_t count = std::min(height, rows.length - row);
        if (is_direct(run) && run.length >= tile_width) {
          for (std::size_t r = 0; r < count; ++r, advance(rows, 1)) compute(from, to, run, place, false);
        } else {
          compute(from, to, {count, rows.x, rows.y, rows.place}, run, place);
        }
      }
    });
  }
};

}  // namespace

/// The scales are c = 1 / (1 - rate) in two parts of the type computed in, so that x c is rounded about once. The first
/// is less than c: both products have the sign of x, also where they are 0 or infinite.
DropoutCall dropout_call(std::string_view function, double rate, std::uint64_t seed, Format stored) {
  if (!(rate >= 0 && rate < 1)) {
    char value[32];
    std::snprintf(value, sizeof value, "%.15g", rate);
    throw std::invalid_argument(std::string(function) + ": rate is " + value + "; 0 <= rate < 1 is required");
  }
  const double kept = 1 - rate, rest_of_kept = (1 - kept) - rate;  // exactly 1 - rate (Dekker, 1971)
  const double c = 1 / kept, rest = (std::fma(-kept, c, 1.0) - rest_of_kept * c) / kept;
  const bool in_double = stored == Format::f64;
  const double nearest = in_double ? c : static_cast<double>(static_cast<float>(c));
  const double below =
      in_double ? std::nextafter(c, 0.0) : static_cast<double>(std::nextafter(static_cast<float>(c), 0.0F));
  const double hi = (c - nearest) + rest > 0 ? nearest : below;
  return {seed, static_cast<std::uint64_t>(std::ceil(std::ldexp(rate, 32))), {hi, (c - hi) + rest}};
}

void drop(const DropoutCall& call, Format stored, const void* x, void* y, std::uint64_t first,
          std::vector<DropoutAxis> axes) {
  axes = simplified(axes);
  const auto* const from = static_cast<const char*>(x);
  auto* const to = static_cast<char*>(y);
  const kernels::DropoutEntry& kernels = current().dropout;
  stored == Format::f64 ? Drop<double>{call, stored, kernels.f64}(from, to, first, std::move(axes))
                        : Drop<float>{call, stored, kernels.f32}(from, to, first, std::move(axes));
}

}  // namespace fastact::runtime
