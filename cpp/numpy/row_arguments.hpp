// Reads and checks the arguments that all functions of rows share.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "numpy/arrays.hpp"
#include "numpy/row_arrays.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/environment.hpp"

namespace fastact::numpy {

namespace py = pybind11;

[[noreturn]] void refuse(PyObject* exception, const std::string& function, const char* format, auto... values) {
  const py::object message = checked(PyUnicode_FromFormat(format, values...));
  PyErr_Format(exception, "%s: %U", function.c_str(), message.ptr());
  throw py::error_already_set();
}

inline py::object dtype(int type) { return checked(reinterpret_cast<PyObject*>(PyArray_DescrFromType(type))); }
inline PyArray_Descr* descriptor(const py::object& dtype) { return reinterpret_cast<PyArray_Descr*>(dtype.ptr()); }
inline PyObject* dtype_of(py::handle a) { return reinterpret_cast<PyObject*>(PyArray_DESCR(array(a))); }
inline int type_of(py::handle a) { return PyArray_TYPE(array(a)); }
inline py::tuple as_tuple(std::span<const npy_intp> sizes) {
  py::tuple result(sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) result[i] = sizes[i];
  return result;
}

/// Whether the value is a NumPy array, or an object that only NumPy can convert to an array.
inline bool is_numpys(PyObject* value) {
  if (PyArray_CheckExact(value) || PyFloat_CheckExact(value) || PyLong_CheckExact(value) || PyList_CheckExact(value)) {
    return true;
  }
  if (PyArray_IsScalar(value, Generic)) return true;
  if (PyArray_Check(value)) return false;
  static PyObject *const ufunc = PyUnicode_InternFromString("__array_ufunc__"), *const conversion =
                                                                                    PyUnicode_InternFromString(
                                                                                        "__array__");
  return !PyObject_HasAttr(value, ufunc) && !PyObject_HasAttr(value, conversion);
}

/// Python numbers do not determine the type, as in NumPy.
inline bool is_typed(PyObject* value) { return !PyFloat_CheckExact(value) && !PyLong_CheckExact(value); }

/// A 0-dimensional array of this type.
template <class T>
py::object array_of(int type, T number) {
  py::object a = checked(PyArray_SimpleNew(0, nullptr, type));
  *static_cast<T*>(PyArray_DATA(array(a))) = number;
  return a;
}

inline py::object as_array(PyObject* value) {
  if (PyArray_CheckExact(value)) return py::reinterpret_borrow<py::object>(value);
  // NumPy converts any object, but takes several times as long.
  if (PyFloat_CheckExact(value)) return array_of(NPY_DOUBLE, PyFloat_AS_DOUBLE(value));
  if (Py_IS_TYPE(value, &PyFloatArrType_Type)) return array_of(NPY_FLOAT, PyArrayScalar_VAL(value, Float));
  if (Py_IS_TYPE(value, &PyDoubleArrType_Type)) return array_of(NPY_DOUBLE, PyArrayScalar_VAL(value, Double));
  if (Py_IS_TYPE(value, &PyLongArrType_Type)) return array_of(NPY_LONG, PyArrayScalar_VAL(value, Long));
  if (PyArray_IsScalar(value, Number)) return checked(PyArray_FromScalar(value, nullptr));
  return checked(PyArray_FROM_O(value));
}

inline bool is_as_computed(py::handle a, int type) { return type_of(a) == type && PyArray_ISBEHAVED_RO(array(a)); }

/// The array, aligned, in native byte order and of this type; a copy if necessary.
inline py::object converted(const py::object& a, int type, int flags = 0) {
  if (is_as_computed(a, type) && PyArray_CHKFLAGS(array(a), flags)) return a;
  flags |= NPY_ARRAY_ALIGNED | NPY_ARRAY_NOTSWAPPED | NPY_ARRAY_FORCECAST;
  return checked(PyArray_FromArray(array(a), PyArray_DescrFromType(type), flags));
}

inline void copy_into(py::handle to, py::handle from) {
  if (PyArray_CopyInto(array(to), array(from)) < 0) throw py::error_already_set();
}

/// Converts a 0-dimensional array to a scalar.
inline py::object as_result(py::object a) { return checked(PyArray_Return(array(a.release()))); }

/// Refuses outputs of which two share memory. The given ones are arrays, the others null.
inline void refuse_shared(const std::string& function, std::span<PyObject* const> outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (outputs[i] == nullptr || outputs[j] == nullptr || are_apart(outputs[i], outputs[j])) continue;
      const py::object share = py::module_::import("numpy").attr("shares_memory");
      if (share(py::handle(outputs[j]), py::handle(outputs[i])).cast<bool>()) {
        refuse(PyExc_ValueError, function, "arrays %zu and %zu of out share memory", j, i);
      }
    }
  }
}

/// The axes that `axis` names: one, a tuple of several or None for all; null for the last one.
inline Axes read_axes(const std::string& function, PyObject* value, std::size_t dimensions) {
  std::array<bool, most_axes> is_row;
  std::fill_n(is_row.begin(), dimensions, value == Py_None);
  const auto add = [&](PyObject* item) {
    const Py_ssize_t given = PyBool_Check(item) ? -1 : PyNumber_AsSsize_t(item, nullptr);
    if (PyBool_Check(item) || (given == -1 && PyErr_Occurred())) {
      PyErr_Clear();
      refuse(PyExc_TypeError, function, "axis must be an int, a tuple of ints or None, not %R", value);
    }
    const auto count = static_cast<Py_ssize_t>(std::max<std::size_t>(1, dimensions));  // a number is a row of one
    if (given < -count || given >= count) {
      const py::object error = py::module_::import("numpy.exceptions").attr("AxisError");
      PyErr_SetObject(error.ptr(), py::make_tuple(py::handle(item), dimensions, function).ptr());
      throw py::error_already_set();
    }
    if (dimensions > 0 && std::exchange(is_row[static_cast<std::size_t>(given < 0 ? given + count : given)], true)) {
      refuse(PyExc_ValueError, function, "axis %R names an axis twice", value);
    }
  };
  if (value == nullptr) {
    if (dimensions > 0) is_row[dimensions - 1] = true;
  } else if (PyTuple_Check(value)) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(value); ++i) add(PyTuple_GET_ITEM(value, i));
  } else if (value != Py_None) {
    add(value);
  }
  return {dimensions, [&](std::size_t i) { return is_row[i]; }};
}

/// A new array of this type and shape with these numbers, without a warning for those that overflow.
inline py::object narrowed(std::span<const double> from, std::span<const npy_intp> sizes, int type) {
  const runtime::FloatEnvironment environment;
  const int made = type == NPY_LONGDOUBLE ? NPY_DOUBLE : type, dimensions = static_cast<int>(sizes.size());
  py::object result = checked(PyArray_Empty(dimensions, sizes.data(), PyArray_DescrFromType(made), 0));
  void* const to = PyArray_DATA(array(result));
  if (made == NPY_DOUBLE) {
    std::ranges::copy(from, static_cast<double*>(to));
    return converted(result, type);
  }
  if (type == NPY_FLOAT) {
    std::ranges::transform(from, static_cast<float*>(to), [](double number) { return static_cast<float>(number); });
    return result;
  }
  const std::vector<float> floats(from.begin(), from.end());
  if (type == NPY_HALF) {
    runtime::conversion<simd::Half>().narrow(floats.data(), static_cast<simd::Half*>(to), floats.size());
  } else {
    runtime::conversion<simd::Bfloat16>().narrow(floats.data(), static_cast<simd::Bfloat16*>(to), floats.size());
  }
  return result;
}

/// The numbers of a contiguous float64 array.
inline std::span<const double> doubles(py::handle a) {
  return {static_cast<const double*>(PyArray_DATA(array(a))), static_cast<std::size_t>(PyArray_SIZE(array(a)))};
}

}  // namespace fastact::numpy
