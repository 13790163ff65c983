// The arrays in a call of a row function, converted to the strides that kernels support.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "kernels/interface.hpp"
#include "numpy/api.hpp"
#include "numpy/arrays.hpp"

namespace fastact::numpy {

/// The operands of a call, and its mask or labels.
constexpr std::size_t most_arrays = kernels::most_operands + 1;
constexpr std::size_t most_axes = NPY_MAXDIMS;

/// The axes of x, divided into those along which a row lies and the others, in ascending order.
class Axes {
 public:
  template <class IsRow>
  Axes(std::size_t dimensions, const IsRow& is_row) : count_(dimensions), others_(0) {
    for (std::size_t i = 0, rows = dimensions; i < dimensions; ++i) {
      all_[i] = static_cast<int>(i);
      divided_[is_row(i) ? --rows : others_++] = static_cast<int>(i);
    }
    std::reverse(divided_.begin() + others_, divided_.begin() + count_);
  }
  std::span<const int> all() const { return std::span(all_).first(count_); }
  std::span<const int> others() const { return std::span(divided_).first(others_); }
  std::span<const int> row() const { return std::span(divided_).first(count_).subspan(others_); }
  /// The other axes, followed by those of the row.
  std::span<const int> divided() const { return std::span(divided_).first(count_); }

 private:
  std::array<int, most_axes> all_, divided_;
  std::size_t count_, others_;
};

/// At most one number for each axis.
template <class T>
class PerAxis {
 public:
  void push_back(const T& number) { numbers_[count_++] = number; }
  std::size_t size() const { return count_; }
  T* begin() { return numbers_.data(); }
  T* end() { return begin() + count_; }
  const T* begin() const { return numbers_.data(); }
  const T* end() const { return begin() + count_; }
  T& operator[](std::size_t i) { return numbers_[i]; }
  const T& operator[](std::size_t i) const { return numbers_[i]; }

 private:
  std::array<T, most_axes> numbers_;
  std::size_t count_ = 0;
};

/// A memory, with the stride in bytes along each axis of x.
struct Strided {
  char* data;
  std::array<npy_intp, most_axes> along;

  /// Takes those of an array whose dimensions are these axes of x.
  void set(pybind11::handle a, std::span<const int> axes);
};

/// A new array of this type and shape. Its elements have the memory order of x along the corresponding axes.
pybind11::object make_like(pybind11::handle x, std::span<const int> axes, std::span<const npy_intp> sizes, int type);

/// A new array of this type with as many dimensions as x, in which every row is contiguous.
pybind11::object make_with_rows_last(const Axes& axes, std::span<const npy_intp> sizes, int type);

/// An array of this type and shape in memory that outlives it.
pybind11::object view(const Strided& memory, std::span<const npy_intp> sizes, int type);

/// The stride in bytes along a row, if it is the same everywhere.
std::optional<npy_intp> element_stride(const Strided& s, std::span<const int> row, std::span<const npy_intp> sizes);

/// One axis of a loop over several memories.
template <std::size_t n>
struct Dimension {
  npy_intp size;
  std::array<npy_intp, n> strides;
};

/// Calls body() with the pointers for each combination of indices; the index of the last dimension varies fastest.
template <std::size_t n, class Body>
void walk(std::span<const Dimension<n>> dimensions, std::array<char*, n> at, const Body& body) {
  std::array<npy_intp, most_axes> index;
  std::fill_n(index.begin(), dimensions.size(), 0);
  for (std::size_t i = 1; i > 0;) {
    body(at);
    for (i = dimensions.size(); i > 0; --i) {
      const auto& [size, strides] = dimensions[i - 1];
      const bool wraps = ++index[i - 1] == size;
      const npy_intp steps = wraps ? 1 - size : 1;
      for (std::size_t k = 0; k < n; ++k) at[k] += steps * strides[k];
      if (!wraps) break;
      index[i - 1] = 0;
    }
  }
}

/// Computes all rows of a call. x has these sizes. The call's operands have their element strides, and `arrays` their
/// data and other strides; the last of these may be the `extra` operand.
void compute_rows(kernels::RowKernel kernel, kernels::RowCall call, bool halves, const Axes& axes,
                  std::span<const npy_intp> sizes, std::span<const Strided> arrays,
                  kernels::Operand kernels::RowCall::* extra = nullptr);

}  // namespace fastact::numpy
