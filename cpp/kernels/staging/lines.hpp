// Lines of numbers between memory and contiguous buffers.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

#include "kernels/interface.hpp"
#include "simd/simd.hpp"

namespace fastact::kernels {
namespace {

template <class T>
constexpr Format native = std::is_same_v<T, double> ? Format::f64 : Format::f32;

/// Calls f with a null pointer to the type of the format.
template <class F>
auto with_type(Format format, F f) {
  if (format == Format::f32) return f(static_cast<float*>(nullptr));
  if (format == Format::f16) return f(static_cast<simd::Half*>(nullptr));
  if (format == Format::bf16) return f(static_cast<simd::Bfloat16*>(nullptr));
  return f(static_cast<double*>(nullptr));
}

/// A thread's memory for buffers and, before them, for partial sums; or null where there is none left.
template <class T>
struct Scratch {
  static constexpr std::align_val_t alignment{64};
  static constexpr std::size_t size = (std::size_t{1} << 22) / sizeof(T), sums = (std::size_t{1} << 16) / sizeof(T);
  static T* of_thread() {
    constexpr auto release = [](void* p) { ::operator delete(p, alignment); };
    thread_local const std::unique_ptr<void, decltype(release)> scratch(
        ::operator new((sums + size) * sizeof(T), alignment, std::nothrow));
    return static_cast<T*>(scratch.get());
  }
};

/// A rectangle in memory: `lines` lines of `count` numbers, with strides in bytes.
struct Rectangle {
  Format format;
  char* data;
  std::ptrdiff_t line, element;
  std::size_t lines, count;

  char* at(std::size_t i, std::size_t j = 0) const {
    return data + static_cast<std::ptrdiff_t>(i) * line + static_cast<std::ptrdiff_t>(j) * element;
  }
  Rectangle transposed() const { return {format, data, element, line, count, lines}; }
};

/// Copies contiguous lines of up to 2 `most` bytes. Each line is copied in two parts of at least half its length, which
/// may overlap.
template <std::size_t most>
void copy_lines(Rectangle to, Rectangle from) {
  const std::size_t bytes = from.count * static_cast<std::size_t>(from.element);
  if (most > 1 && bytes < most) return copy_lines<std::max<std::size_t>(1, most / 2)>(to, from);
  for (std::size_t i = 0; i < from.lines && bytes > 0; ++i, to.data += to.line, from.data += from.line) {
    std::array<char, most> first, last;
    std::memcpy(&first, from.data, most);
    std::memcpy(&last, from.data + bytes - most, most);
    std::memcpy(to.data, &first, most);
    std::memcpy(to.data + bytes - most, &last, most);
  }
}

/// Converts a contiguous line of numbers to another format. Neither format is double unless V consists of doubles.
template <class V, class From, class To>
[[gnu::always_inline]] inline void convert_line(const From* from, To* to, std::size_t count) {
  std::size_t j = 0;
  for (; j + V::size <= count; j += V::size) V::load(from + j).store(to + j);
  if (j < count) V::load(from + j, count - j).store(to + j, count - j);
}
/// Converts a contiguous line of numbers of any format to the type in which kernels compute.
template <class V, class S>
[[gnu::always_inline]] inline void widen(const S* from, typename V::Element* to, std::size_t count) {
  using T = typename V::Element;
  if constexpr (std::is_same_v<T, double> && !std::is_same_v<S, double>) {
    using Single = typename V::template Of<float>;
    for (std::size_t j = 0; j < count; j += Single::size) {
      float floats[Single::size];
      const std::size_t some = std::min(Single::size, count - j);
      Single::load(from + j, some).store(floats);
      std::copy_n(floats, some, to + j);
    }
  } else if constexpr (std::is_same_v<T, double> || !std::is_same_v<S, double>) {
    convert_line<V>(from, to, count);
  }
}

/// The direction of a copy: from memory into a buffer, or back.
enum class Way { in, out };

/// Copies numbers that are `step` bytes apart in memory.
template <Way way, class S>
void copy_numbers(char* memory, std::ptrdiff_t step, S* numbers, std::size_t count) {
  for (std::size_t k = 0; k < count; ++k, memory += step) {
    if constexpr (way == Way::in) {
      S number;  // a copy straight to `numbers` is a call that checks the length, where that is known (_FORTIFY_SOURCE)
      std::memcpy(&number, memory, sizeof number);
      numbers[k] = number;
    } else {
      std::memcpy(memory, numbers + k, sizeof(S));
    }
  }
}

/// Copies between lines of memory and lines of a buffer, which are `pitch` elements apart.
template <class V, Way way>
void move_lines(const Rectangle& memory, typename V::Element* buffer, std::size_t pitch) {
  using T = typename V::Element;
  // Numbers that are not contiguous are moved `some` at a time. Lines are prefetched, because the steps between them
  // are too long for the processor to foresee.
  constexpr std::size_t some = 512, ahead = 16;
  const bool is_contiguous = memory.element == size_of(memory.format);
  if (is_contiguous && memory.format == native<T> && memory.count <= V::size) {
    const auto step = static_cast<std::ptrdiff_t>(pitch * sizeof(T));
    const Rectangle copy = {memory.format, reinterpret_cast<char*>(buffer), step, sizeof(T), memory.lines,
                            memory.count};
    constexpr std::size_t most = V::size * sizeof(T);
    return way == Way::in ? copy_lines<most>(copy, memory) : copy_lines<most>(memory, copy);
  }
  with_type(memory.format, [&]<class S>(S*) {
    // Floats may be widened to double, but doubles are never stored as floats here.
    if constexpr (way == Way::in || std::is_same_v<T, double> == std::is_same_v<S, double>) {
      S line[some];
      const std::size_t most = is_contiguous ? memory.count : some;
      for (std::size_t i = 0; i < memory.lines; ++i) {
        simd::prefetch(memory.at(i + ahead));
        for (std::size_t j = 0; j < memory.count; j += most) {
          const std::size_t count = std::min(most, memory.count - j);
          S* const s = is_contiguous ? reinterpret_cast<S*>(memory.at(i, j)) : line;
          T* const t = buffer + i * pitch + j;
          if constexpr (way == Way::in) {
            if (s == line) copy_numbers<way>(memory.at(i, j), memory.element, line, count);
            widen<V>(s, t, count);
          } else {
            convert_line<V>(t, s, count);
            if (s == line) copy_numbers<way>(memory.at(i, j), memory.element, line, count);
          }
        }
      }
    }
  });
}
/// Copies one line of a few numbers.
template <class V, Way way>
void move_line(Format format, char* memory, std::ptrdiff_t stride, typename V::Element* numbers, std::size_t count) {
  using T = typename V::Element;
  if (format != native<T>) return move_lines<V, way>({format, memory, 0, stride, 1, count}, numbers, 0);
  if (stride == sizeof(T)) {
    T* const line = reinterpret_cast<T*>(memory);
    return way == Way::in ? convert_line<V>(line, numbers, count) : convert_line<V>(numbers, line, count);
  }
  copy_numbers<way>(memory, stride, numbers, count);
}

}  // namespace
}  // namespace fastact::kernels
