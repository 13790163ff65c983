// Finds the strides of rows, creates arrays for outputs and copies, and loops over the other axes.
#include "numpy/row_arrays.hpp"

#include <cstdlib>

#include "runtime/rows.hpp"

namespace py = pybind11;

namespace fastact::numpy {
namespace {

/// From this many interleaved rows on, kernels fill their vectors with one element of each row.
constexpr npy_intp enough_rows = 16;

using RowDimension = Dimension<most_arrays>;

/// The other axes, joined to as few as possible, with the largest strides of x first. The last one is the best for
/// kernels: its rows lie next to each other in memory, unless there are only a few.
std::size_t dimensions(std::span<const int> others, std::span<const npy_intp> sizes, std::span<const Strided> arrays,
                       std::span<RowDimension> found) {
  std::size_t count = 0;
  for (const int axis : others) {
    const auto a = static_cast<std::size_t>(axis);
    if (sizes[a] == 1) continue;
    RowDimension d = {sizes[a], {}};
    std::ranges::transform(arrays, d.strides.begin(), [a](const Strided& s) { return s.along[a]; });
    std::size_t i = count++;
    for (; i > 0 && std::abs(found[i - 1].strides[0]) < std::abs(d.strides[0]); --i) found[i] = found[i - 1];
    found[i] = d;
  }
  if (count == 0) found[count++] = {1, {}};
  std::size_t last = 0;
  for (std::size_t i = 1; i < count; ++i) {
    const auto& [size, strides] = found[i];
    const auto continues = [&](std::size_t k) { return found[last].strides[k] == strides[k] * size; };
    bool is_one = true;
    for (std::size_t k = 0; k < arrays.size(); ++k) is_one = is_one && continues(k);
    if (is_one) {
      found[last] = {found[last].size * size, strides};
    } else {
      found[++last] = found[i];
    }
  }
  if (found[last].size < enough_rows) {
    std::swap(*std::ranges::max_element(found.first(last + 1), {}, &RowDimension::size), found[last]);
  }
  return last + 1;
}

}  // namespace

void Strided::set(py::handle a, std::span<const int> axes) {
  data = PyArray_BYTES(array(a));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    along[static_cast<std::size_t>(axes[i])] = PyArray_STRIDE(array(a), static_cast<int>(i));
  }
}

py::object make_like(py::handle x, std::span<const int> axes, std::span<const npy_intp> sizes, int type) {
  const int count = static_cast<int>(sizes.size());
  PyArray_Descr* const dtype = PyArray_DescrFromType(type);
  if (PyArray_IS_C_CONTIGUOUS(array(x))) return checked(PyArray_Empty(count, sizes.data(), dtype, 0));
  const auto stride = [&](std::size_t i) { return std::abs(PyArray_STRIDE(array(x), axes[i])); };
  std::array<std::size_t, most_axes> order;  // the dimensions, with the largest stride of x first
  for (std::size_t k = 0, i; k < sizes.size(); ++k) {
    for (i = k; i > 0 && stride(order[i - 1]) < stride(k); --i) order[i] = order[i - 1];
    order[i] = k;
  }
  std::array<npy_intp, most_axes> strides;
  npy_intp next = PyDataType_ELSIZE(dtype);
  for (std::size_t i = sizes.size(); i-- > 0;) {
    strides[order[i]] = next;
    next *= std::max<npy_intp>(1, sizes[order[i]]);
  }
  return checked(PyArray_NewFromDescr(&PyArray_Type, dtype, count, sizes.data(), strides.data(), nullptr, 0, nullptr));
}

py::object make_with_rows_last(const Axes& axes, std::span<const npy_intp> sizes, int type) {
  std::array<npy_intp, most_axes> moved, inverse;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(axes.divided()[i]);
    moved[i] = sizes[axis];
    inverse[axis] = static_cast<npy_intp>(i);
  }
  const auto made =
      checked(PyArray_Empty(static_cast<int>(sizes.size()), moved.data(), PyArray_DescrFromType(type), 0));
  PyArray_Dims permutation = {inverse.data(), static_cast<int>(sizes.size())};
  return checked(PyArray_Transpose(array(made), &permutation));
}

py::object view(const Strided& memory, std::span<const npy_intp> sizes, int type) {
  return checked(PyArray_NewFromDescr(&PyArray_Type, PyArray_DescrFromType(type), static_cast<int>(sizes.size()),
                                      sizes.data(), memory.along.data(), memory.data, NPY_ARRAY_WRITEABLE, nullptr));
}

std::optional<npy_intp> element_stride(const Strided& s, std::span<const int> row, std::span<const npy_intp> sizes) {
  std::optional<npy_intp> stride;
  npy_intp next = 0;
  for (std::size_t i = row.size(); i-- > 0;) {
    const auto axis = static_cast<std::size_t>(row[i]);
    if (sizes[axis] == 1 && row.size() > 1) continue;
    if (stride && s.along[axis] != next) return {};
    if (!stride) stride = s.along[axis];
    next = s.along[axis] * sizes[axis];
  }
  return stride ? stride : 0;
}

void compute_rows(kernels::RowKernel kernel, kernels::RowCall call, bool halves, const Axes& axes,
                  std::span<const npy_intp> sizes, std::span<const Strided> arrays,
                  kernels::Operand kernels::RowCall::* extra) {
  npy_intp elements = static_cast<npy_intp>(call.length);
  for (const int axis : axes.others()) {
    const npy_intp size = sizes[static_cast<std::size_t>(axis)];
    if (size == 0) return;
    elements *= size;
  }
  std::array<RowDimension, most_axes> found;
  const std::size_t outer = dimensions(axes.others(), sizes, arrays, found) - 1;
  const auto& [rows, strides] = found[outer];
  std::array<kernels::Operand*, most_arrays> operands;
  std::ranges::transform(call.operands, operands.begin(), [](kernels::Operand& o) { return &o; });
  if (extra != nullptr) operands[arrays.size() - 1] = &(call.*extra);
  std::array<char*, most_arrays> data = {};
  for (std::size_t k = 0; k < arrays.size(); ++k) {
    data[k] = arrays[k].data;
    operands[k]->row = strides[k];
  }
  std::optional<py::gil_scoped_release> release;
  if (elements >= worth_releasing) release.emplace();
  walk(std::span<const RowDimension>(found).first(outer), data, [&](const std::array<char*, most_arrays>& at) {
    for (std::size_t k = 0; k < arrays.size(); ++k) operands[k]->data = at[k];
    runtime::run(kernel, call, static_cast<std::size_t>(rows), halves);
  });
}

}  // namespace fastact::numpy
