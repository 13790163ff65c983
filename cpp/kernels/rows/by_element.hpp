// Functions of rows whose outputs depend on the elements in their place alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "kernels/find_subnormal.hpp"
#include "kernels/rows/group.hpp"
#include "kernels/rows/sweeps.hpp"
#include "simd/environment.hpp"

namespace fastact::kernels {
namespace {

/// The one sweep of such a function.
template <class V, class F>
class ByElement {
  using T = typename V::Element;
  using Rows = Group<T>;
  static constexpr F traits = {};

  /// F, with the step for subnormal inputs.
  struct Lifted : F {
    static auto late(auto... operands) { return F::template lifted_late<F>(operands...); }
  };

  template <class G, class S>
  static void write_part(const Group<S>& lines, std::size_t begin, std::size_t end) {
    constexpr rowwise::RowFunction::Nothing nothing;
    // Interleaved numbers of bfloat16 fill two registers.
    constexpr std::size_t registers = std::is_same_v<S, simd::Bfloat16>             ? 2
                                      : std::is_same_v<T, double> && V::several > 1 ? 4
                                                                                    : V::several;
    Sweeps<Wide<V, registers>, G>::template late<false>(lines, begin, end, &nothing);
  }
  template <class S>
  static bool any_subnormal(const Group<S>& lines, std::size_t rows, std::size_t begin, std::size_t end) {
    bool found = false;
    for (std::size_t i = 0; i < rows && !found; ++i) {
      const auto line = Sweeps<V, F>::line(lines, i, begin);
      for (std::size_t k = 0; k < traits.inputs; ++k) found |= kernels::any_subnormal<V>(line[k], end - begin);
    }
    return found;
  }
  /// Writes lines that may have subnormal numbers. As in elements/subnormal_guard.hpp, the processor's flag shows
  /// whether any input was subnormal, and some elements are computed again if one was; where an output overwrites an
  /// input, the inputs are searched first.
  template <class S>
  static void write_guarded(const Group<S>& lines, std::size_t length) {
    constexpr std::size_t at_once = 8192;
    const auto outputs = lines.arrays.begin() + traits.inputs;
    const bool overwrites = std::find_first_of(lines.arrays.begin(), outputs, outputs, outputs + traits.outputs,
                                               [](auto a, auto b) { return a.p == b.p; }) != outputs;
    bool expected = overwrites;
    Group<S> some = lines;
    const std::size_t rows = std::clamp<std::size_t>(at_once / std::max<std::size_t>(1, length), 1, lines.rows);
    for (std::size_t first = 0; first < lines.rows; first += rows) {
      some.rows = std::min(rows, lines.rows - first);
      for (std::size_t begin = 0, end; begin < length; begin = end) {
        end = std::min(length, begin + at_once);
        bool found =
            any_subnormal(some, expected ? some.rows : 1, begin, expected ? end : std::min(end, begin + V::size));
        if (!found) {
          write_part<F>(some, begin, end);
          found = !expected && simd::FloatEnvironment::met_subnormal() && any_subnormal(some, some.rows, begin, end);
        }
        if (found) write_part<Lifted>(some, begin, end);
        expected = overwrites || found;
      }
      for (auto& [p, line] : some.arrays) p += static_cast<std::ptrdiff_t>(rows) * line;
    }
  }
  /// Writes the outputs for the elements from begin to end of some rows, which are numbers of type S.
  template <class S>
  static void write_lines(const Rows& rows, std::size_t begin, std::size_t end) {
    // Across rows, a line has one element of each.
    Group<S> lines = {};
    lines.rows = rows.across ? end - begin : rows.rows;
    for (std::size_t k = 0; k < traits.arrays(); ++k) {
      const auto [p, line] = rows.arrays[k];
      lines.arrays[k] = {reinterpret_cast<S*>(p) + static_cast<std::ptrdiff_t>(begin) * (rows.across ? line : 1), line};
    }
    const std::size_t length = rows.across ? rows.rows : end - begin;
    if constexpr (traits.multiplies && !std::is_same_v<S, simd::Half>) {
      write_guarded(lines, length);
    } else {
      write_part<F>(lines, 0, length);
    }
  }

 public:
  /// Writes the outputs for the elements from begin to end of some rows. float16 numbers are normal as floats.
  static void write(const Rows& rows, std::size_t begin, std::size_t end) {
    if constexpr (std::is_same_v<T, float> && V::lanes > 1) {
      with_type(rows.format, [&]<class S>(S*) {
        if constexpr (!std::is_same_v<S, double>) write_lines<S>(rows, begin, end);
      });
    } else {
      write_lines<T>(rows, begin, end);
    }
  }
};

}  // namespace
}  // namespace fastact::kernels
