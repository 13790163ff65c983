// Rectangles of numbers between memory and contiguous buffers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "kernels/staging/lines.hpp"
#include "simd/simd.hpp"

/// Copies between memory of any strides and format and buffers of contiguous lines.
namespace fastact::kernels {
namespace {

/// Calls tile(width, first) for all lines: for as many at a time as a register has lanes, and for the rest in groups of
/// half as many, a quarter as many, and so on.
template <std::size_t width, class Tile>
void each_tile(std::size_t first, std::size_t count, Tile tile) {
  for (; first + width <= count; first += width) tile(std::integral_constant<std::size_t, width>{}, first);
  if constexpr (width > 1) each_tile<width / 2>(first, count, tile);
}

/// Calls group(i, some, line) for `count` lines at a time, beginning with line i, and for the rest. Element j of each
/// line is at line(0), line(1), …; beyond the rest, the last line takes the place of the missing ones.
template <std::size_t count, class Group>
void each_group(const Rectangle& r, std::size_t j, Group group) {
  for (std::size_t i = 0; i < r.lines; i += count) {
    const auto some_lines = [&](auto some) {
      group(i, some, [first = r.at(i, j), step = r.line, some](std::size_t k) {
        return first + static_cast<std::ptrdiff_t>(std::min<std::size_t>(k, some - 1)) * step;
      });
    };
    r.lines - i < count ? some_lines(r.lines - i) : some_lines(std::integral_constant<std::size_t, count>{});
  }
}

/// Copies between columns of memory and lines of a buffer.
template <class V, Way way>
[[gnu::flatten]] void transpose(const Rectangle& memory, typename V::Element* buffer, std::size_t pitch) {
  using Isa = typename V::InstructionSet;
  each_tile<V::lanes>(0, memory.count, [&]<std::size_t width>(std::integral_constant<std::size_t, width>, auto j) {
    each_group<V::lanes>(memory, j, [&](std::size_t i, auto count, auto line) {
      typename V::template Squares<width> squares;
      typename V::Element* const numbers = buffer + j * pitch + i;
      if constexpr (way == Way::in) {
        squares.load(line);
      } else {
        for (std::size_t k = 0; k < width; ++k) squares.rows[k] = Isa::load(numbers + k * pitch);
      }
      squares.transpose();
      if constexpr (way == Way::in) {
        for (std::size_t k = 0; k < width; ++k) Isa::store(numbers + k * pitch, squares.rows[k]);
      } else {
        squares.store(count, line);
      }
    });
  });
}

/// Whether the rectangle is contiguous across its lines only, so that it must be transposed.
inline bool lies_turned(const Rectangle& r) {
  const std::ptrdiff_t item = size_of(r.format);
  return r.element != item && r.line == item && r.count > 1 && r.lines > 1;
}

/// Calls part(rectangle, line, first) for parts of a rectangle whose transpose fits into a small buffer.
template <class Part>
void each_part(const Rectangle& r, Part part) {
  constexpr std::size_t lines = 256, count = 16;
  for (std::size_t i = 0; i < r.lines; i += lines) {
    for (std::size_t j = 0; j < r.count; j += count) {
      part(Rectangle{r.format, r.at(i, j), r.line, r.element, std::min(lines, r.lines - i),
                     std::min(count, r.count - j)},
           i, j);
    }
  }
}
template <class T>
struct Part {
  alignas(64) T numbers[16][256];
  Rectangle rectangle(std::size_t lines, std::size_t count) {
    return {native<T>, reinterpret_cast<char*>(numbers), sizeof numbers[0], sizeof(T), lines, count};
  }
};

/// Copies a part that lies turned and is converted. It is out of line, since its buffer would otherwise be on the
/// stack of every copy.
template <class V, Way way>
[[gnu::noinline]] void bring_part(const Rectangle& part, typename V::Element* buffer, std::size_t pitch) {
  using T = typename V::Element;
  Part<T> wide;
  if constexpr (way == Way::in) move_lines<V, way>(part.transposed(), wide.numbers[0], 256);
  transpose<V, way>(wide.rectangle(part.count, part.lines), buffer, pitch);
  if constexpr (way == Way::out) move_lines<V, way>(part.transposed(), wide.numbers[0], 256);
}
/// Copies between the rectangle and lines of a buffer, which are `pitch` elements apart.
template <class V, Way way>
[[gnu::noinline]] void bring(const Rectangle& memory, typename V::Element* buffer, std::size_t pitch) {
  using T = typename V::Element;
  if (!lies_turned(memory)) return move_lines<V, way>(memory, buffer, pitch);
  if (memory.format == native<T>) return transpose<V, way>(memory.transposed(), buffer, pitch);
  each_part(memory, [&](const Rectangle& part, std::size_t i, std::size_t j) {
    bring_part<V, way>(part, buffer + i * pitch + j, pitch);
  });
}

/// Copies lines into a buffer, with `fill` where the mask is false. The lines may already be in the buffer.
template <class T>
[[gnu::noinline]] void apply_mask(const Rectangle& mask, T fill, const char* from, std::ptrdiff_t step, T* to,
                                  std::size_t pitch) {
  char copy[512];
  for (std::size_t i = 0; i < mask.lines; ++i) {
    for (std::size_t j = 0; j < mask.count; j += sizeof copy) {
      const std::size_t some = std::min(sizeof copy, mask.count - j);
      for (std::size_t k = 0; mask.element != 1 && k < some; ++k) copy[k] = *mask.at(i, j + k);
      const char* const m = mask.element == 1 ? mask.at(i, j) : copy;
      const T* const x = reinterpret_cast<const T*>(from + static_cast<std::ptrdiff_t>(i) * step) + j;
      T* const line = to + i * pitch + j;
      const auto choose = [m, fill, some, line](const T* numbers) {
        for (std::size_t k = 0; k < some; ++k) line[k] = m[k] != 0 ? numbers[k] : fill;
      };
      x == line ? choose(line) : choose(x);  // compilers vectorize if they see that the two are the same or distinct
    }
  }
}
/// Copies the rectangle into a buffer as `bring` does, with `fill` where the mask, which has its shape, is false. The
/// line has room for Scratch<T>::sums numbers, or is null.
template <class V>
[[gnu::noinline]] void bring_masked(Rectangle memory, Rectangle mask, typename V::Element fill,
                                    typename V::Element* buffer, std::size_t pitch, typename V::Element* line) {
  using T = typename V::Element;
  const std::ptrdiff_t item = size_of(memory.format), count = static_cast<std::ptrdiff_t>(memory.lines);
  const bool is_native = memory.format == native<T>;
  if (is_native && memory.line == item && memory.element == item * count && mask.line == 1 && mask.element == count &&
      line != nullptr && memory.lines * memory.count <= Scratch<T>::sums) {
    // A contiguous rectangle that will be transposed is masked as a single line, because that takes less time.
    const Rectangle joined = {mask.format, mask.data, 0, 1, 1, memory.lines * memory.count};
    apply_mask(joined, fill, memory.data, 0, line, 0);
    memory.data = reinterpret_cast<char*>(line);
    return bring<V, Way::in>(memory, buffer, pitch);
  }
  if (is_native && memory.element == item) return apply_mask(mask, fill, memory.data, memory.line, buffer, pitch);
  bring<V, Way::in>(memory, buffer, pitch);
  const auto step = static_cast<std::ptrdiff_t>(pitch * sizeof(T));
  apply_mask(mask, fill, reinterpret_cast<char*>(buffer), step, buffer, pitch);
}

}  // namespace
}  // namespace fastact::kernels
