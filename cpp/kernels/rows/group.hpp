// Some rows that are computed together, and what vectors hold of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "kernels/fold.hpp"
#include "kernels/interface.hpp"
#include "kernels/rows/road.hpp"
#include "simd/simd.hpp"

namespace fastact::kernels {
namespace {

/// Lines that are `line` elements apart. A line is a row or, if vectors lie across rows, one element of each row.
template <class T>
struct Array {
  T* p;
  std::ptrdiff_t line;
};

/// The arrays that a function may have, and one of what the second sweep keeps for the third, which reads it in place
/// of the first input.
template <class T>
using Arrays = std::array<Array<T>, most_operands + 1>;

template <class T>
struct Group {
  bool across;      // vectors lie across the rows
  bool kept_apart;  // the values kept between sweeps are whole vectors, also at the end of a row
  std::size_t rows;
  Format format;     // of the first input, whose numbers are not T if it is half precision
  Arrays<T> arrays;  // the inputs, the outputs, and what is kept
};

/// The number of groups of rows that lie side by side in a sweep, each of which fills the lanes of a vector, at most.
constexpr std::size_t most_groups = 16;
/// The sums of a function consist of at most so many vectors.
constexpr std::size_t most_summed = 7;

/// A vector with one lane for each chain or, without SIMD instructions, one lane.
template <class Isa, class T>
using RowVector = simd::Vec<Isa, T, Isa::template size<T> == 1 ? 1 : chains<T> / Isa::template size<T>>;

/// The vector for short rows. Its operations wait for one another, so that further registers of rows cost little.
template <class V, std::size_t registers = V::several>
using Wide = typename V::template OfRegisters<registers>;

}  // namespace
}  // namespace fastact::kernels
