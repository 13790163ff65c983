// Helpers for NumPy arrays, for functions that call kernels without a ufunc.
#pragma once

#include <functional>
#include <span>
#include <utility>

#include "numpy/api.hpp"

namespace fastact::numpy {

/// From this many elements on, the GIL is released during a call; NumPy's ufuncs have the same limit.
constexpr npy_intp worth_releasing = 500;

inline PyArrayObject* array(pybind11::handle object) { return reinterpret_cast<PyArrayObject*>(object.ptr()); }

inline std::span<const npy_intp> shape(pybind11::handle object) {
  return {PyArray_DIMS(array(object)), static_cast<std::size_t>(PyArray_NDIM(array(object)))};
}

/// Whether the object is exactly an ndarray of this type, in native byte order, aligned and C-contiguous.
inline bool is_plain(pybind11::handle object, int type) {
  return PyArray_CheckExact(object.ptr()) && PyArray_TYPE(array(object)) == type && PyArray_ISCARRAY_RO(array(object));
}

inline pybind11::object shape_of(pybind11::handle a) { return a.attr("shape"); }

/// Takes the new reference that a C function of Python or NumPy returned; throws the exception if it has set one.
inline pybind11::object checked(PyObject* reference) {
  if (reference == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::object>(reference);
}

/// The first byte of an array, and the byte after its last one.
inline std::pair<const char*, const char*> extent(PyArrayObject* a) {
  const char *begin = PyArray_BYTES(a), *end = begin + PyArray_ITEMSIZE(a);
  for (int i = 0; i < PyArray_NDIM(a); ++i) {
    const npy_intp reach = (PyArray_DIM(a, i) - 1) * PyArray_STRIDE(a, i);
    (reach < 0 ? begin : end) += reach;
  }
  return {begin, end};
}

/// Whether no byte of one array lies between the ends of the other.
inline bool are_apart(pybind11::handle a, pybind11::handle b) {
  const auto [a_begin, a_end] = extent(array(a));
  const auto [b_begin, b_end] = extent(array(b));
  return std::less_equal<>()(a_end, b_begin) || std::less_equal<>()(b_end, a_begin) || PyArray_SIZE(array(a)) == 0 ||
         PyArray_SIZE(array(b)) == 0;
}

/// Whether a call may write to `out` while it reads the input, both of which are contiguous: they do not overlap, or
/// corresponding elements share memory.
inline bool may_share(pybind11::handle input, pybind11::handle out) {
  return (PyArray_DATA(array(input)) == PyArray_DATA(array(out)) &&
          PyArray_ITEMSIZE(array(input)) == PyArray_ITEMSIZE(array(out))) ||
         are_apart(input, out);
}

/// The hint in the error message for a parameter with one number for each channel if channels may lie along axis 1.
inline pybind11::str channel_hint(pybind11::handle name, std::span<const npy_intp> parameter,
                                  std::span<const npy_intp> x) {
  if (parameter.size() != 1 || x.size() < 3 || parameter[0] != x[1]) return {};
  pybind11::str hint("; one {0} per channel, along axis 1, is {0}[:{1}]");
  pybind11::str nones("");
  for (std::size_t i = 2; i < x.size(); ++i) nones = pybind11::str("{}, None").format(nones);
  return hint.format(name, nones);
}

}  // namespace fastact::numpy
