// Copies elements between memory of any layout and contiguous blocks of the type in which kernels compute.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "runtime/dispatch.hpp"
#include "runtime/elements.hpp"

namespace fastact::runtime {

/// The number of elements of a block, which fits into the first-level cache with some others.
constexpr std::size_t block = 1024;

template <class S, class T>
void pack(const char* from, std::ptrdiff_t stride, T* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i, from += stride) to[i] = static_cast<T>(*reinterpret_cast<const S*>(from));
}
/// With a constant stride where it can be, so that compilers vectorize the conversion.
template <class S, class T, class Convert>
void pack_integers(const char* from, std::ptrdiff_t stride, T* to, std::size_t count, Convert convert) {
  const auto* const contiguous = reinterpret_cast<const S*>(from);
  if (stride == sizeof(S)) {
    for (std::size_t i = 0; i < count; ++i) to[i] = convert(contiguous[i]);
  } else {
    for (std::size_t i = 0; i < count; ++i, from += stride) to[i] = convert(*reinterpret_cast<const S*>(from));
  }
}
template <class S, class T>
void pack_integers(const char* from, std::ptrdiff_t stride, T* to, std::size_t count) {
  pack_integers<S>(from, stride, to, count, [](S value) { return static_cast<T>(value); });
}
template <class T>
void pack_booleans(const char* from, std::ptrdiff_t stride, T* to, std::size_t count) {
  pack_integers<std::uint8_t>(from, stride, to, count, [](std::uint8_t value) { return static_cast<T>(value != 0); });
}

/// By way of double, since FloatEnvironment does not restore the exception flags of long double.
template <class T>
void pack_extended(const char* from, std::ptrdiff_t stride, T* to, std::size_t count) {
  double number = 0;
  for (std::size_t i = 0; i < count; ++i, from += stride) {
    pack<long double>(from, stride, &number, 1);
    to[i] = static_cast<T>(number);
  }
}
template <class S>
void pack_half(const char* from, std::ptrdiff_t stride, float* to, std::size_t count) {
  S packed[block];
  const bool is_contiguous = stride == sizeof(S);
  if (!is_contiguous) pack<S>(from, stride, packed, count);
  conversion<S>().widen(is_contiguous ? reinterpret_cast<const S*>(from) : packed, to, count);
}

template <class T>
void unpack(const T* from, char* to, std::ptrdiff_t stride, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i, to += stride) *reinterpret_cast<T*>(to) = from[i];
}
template <class S>
void unpack_half(const float* from, char* to, std::ptrdiff_t stride, std::size_t count) {
  S packed[block];
  const bool is_contiguous = stride == sizeof(S);
  conversion<S>().narrow(from, is_contiguous ? reinterpret_cast<S*>(to) : packed, count);
  if (!is_contiguous) unpack(packed, to, stride, count);
}

/// Loads contiguous elements of type T from an array of this format and type, and stores them.
template <class T>
void load_array(kernels::Format format, ArrayType type, const char* from, std::ptrdiff_t stride, T* to,
                std::size_t count) {
  switch (type) {
    case ArrayType::as_format:
      break;
    case ArrayType::boolean:
      return pack_booleans(from, stride, to, count);
    case ArrayType::int8:
      return pack_integers<std::int8_t>(from, stride, to, count);
    case ArrayType::uint8:
      return pack_integers<std::uint8_t>(from, stride, to, count);
    case ArrayType::int16:
      return pack_integers<std::int16_t>(from, stride, to, count);
    case ArrayType::uint16:
      return pack_integers<std::uint16_t>(from, stride, to, count);
  }
  if constexpr (std::is_same_v<T, float>) {
    if (format == kernels::Format::f16) return pack_half<simd::Half>(from, stride, to, count);
    if (format == kernels::Format::bf16) return pack_half<simd::Bfloat16>(from, stride, to, count);
  }
  pack<T>(from, stride, to, count);
}
template <class T>
void store_array(kernels::Format format, const T* from, char* to, std::ptrdiff_t stride, std::size_t count) {
  if constexpr (std::is_same_v<T, float>) {
    if (format == kernels::Format::f16) return unpack_half<simd::Half>(from, to, stride, count);
    if (format == kernels::Format::bf16) return unpack_half<simd::Bfloat16>(from, to, stride, count);
  }
  unpack(from, to, stride, count);
}

}  // namespace fastact::runtime
