// Combines the kernels for one instruction set, which are compiled in several translation units.
#pragma once

#include <cstddef>

#include "kernels/interface.hpp"
#include "simd/simd.hpp"

namespace fastact::kernels {

extern const ElementTable avx512_elements, avx2_elements, neon_elements, portable_elements;
extern const RowTable avx512_rows, avx2_rows, neon_rows, portable_rows;
extern const NormEntry avx512_norms, avx2_norms, neon_norms, portable_norms;
extern const DropoutEntry avx512_dropout, avx2_dropout, neon_dropout, portable_dropout;
extern const Singles avx2_singles, portable_singles;

namespace {

/// to[i] = from[i], rounded to the nearest number of the other type.
template <class V, class From, class To>
[[gnu::flatten]] void convert(const From* from, To* to, std::size_t n) {
  std::size_t i = 0;
  for (; i + V::size <= n; i += V::size) V::load(from + i).store(to + i);
  if (i < n) V::load(from + i, n - i).store(to + i, n - i);
}

template <class Isa>
constexpr InstructionSet instruction_set(const ElementTable& elements, const RowTable& rows, const NormEntry& norms,
                                         const DropoutEntry& dropout, const Singles& singles) {
  using V = simd::Vec<Isa, float>;
  return {.name = Isa::name,
          .supported = Isa::supported,
          .conversions = {{convert<V, simd::Half, float>, convert<V, float, simd::Half>},
                          {convert<V, simd::Bfloat16, float>, convert<V, float, simd::Bfloat16>}},
          .elements = elements,
          .rows = rows,
          .norms = norms,
          .dropout = dropout,
          .singles = singles};
}

}  // namespace
}  // namespace fastact::kernels
