// Copies between vectors with one lane for each row and the lines of packed rows, which have several lanes for each.
#pragma once

#include <cstddef>

#include "kernels/rows/group.hpp"

namespace fastact::kernels {
namespace {

/// Copies lanes of vectors of structs of this size: to lane i from lane source(i).
template <class V, class Source>
void copy_lanes(const void* from, void* to, std::size_t size, std::size_t lanes, Source source) {
  const std::size_t vectors = size / sizeof(V);
  const auto place = [vectors](std::size_t lane, std::size_t k) {
    return (lane / V::size * vectors + k) * V::size + lane % V::size;
  };
  for (std::size_t i = 0; i < lanes; ++i) {
    for (std::size_t k = 0, j = source(i); k < vectors; ++k)
      static_cast<typename V::Element*>(to)[place(i, k)] = static_cast<const typename V::Element*>(from)[place(j, k)];
  }
}

/// Copies what vectors of rows hold to the lanes of packed rows, and returns where these are.
template <class V>
[[gnu::noinline]] void* pack(const void* of_rows, void* packed, std::size_t size, std::size_t lanes, std::size_t rows) {
  copy_lanes<V>(of_rows, packed, size, lanes, [rows](std::size_t i) { return i % rows; });
  return packed;
}
/// Copies the sums of packed rows to vectors of rows, which follow one another for each chain. Lanes without a row
/// repeat the first one.
template <class V>
[[gnu::noinline]] void unpack(const void* packed, void* of_rows, std::size_t size, std::size_t chains,
                              std::size_t rows) {
  const std::size_t lanes = vectors_across<V>(rows) * V::size;
  copy_lanes<V>(packed, of_rows, size, chains * lanes,
                [rows, lanes](std::size_t i) { return i / lanes * rows + (i % lanes < rows ? i % lanes : 0); });
}

}  // namespace
}  // namespace fastact::kernels
