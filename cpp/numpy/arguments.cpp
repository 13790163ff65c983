#include "numpy/arguments.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "numpy/types.hpp"

namespace py = pybind11;

namespace fastact::numpy {
namespace {

struct Function {
  const Description* description;
  Pass pass;
};

bool is_real(const PyArray_Descr* dtype) { return PyArray_CanCastSafely(dtype->type_num, NPY_LONGDOUBLE); }

bool is_real_number(PyObject* value) {
  if (PyFloat_Check(value) || PyLong_Check(value)) return true;
  if (!PyArray_IsScalar(value, Generic)) return false;
  PyArray_Descr* dtype = PyArray_DescrFromScalar(value);
  const auto owner = py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(dtype));
  return is_real(dtype);
}

bool is_real_array(PyObject* value) {
  return PyArray_Check(value) && is_real(PyArray_DESCR(reinterpret_cast<PyArrayObject*>(value)));
}

/// Whatever else takes part in ufuncs: a lazy array, perhaps.
bool is_other_array(PyObject* value) {
  return !PyArray_Check(value) && !PyArray_CheckScalar(value) && py::hasattr(value, "__array_ufunc__");
}

/// A number as a 0-d array, which NumPy takes more readily than a Python float.
py::object array_of(double number, int type) {
  PyObject* array = PyArray_SimpleNew(0, nullptr, type);
  if (array == nullptr) throw py::error_already_set();
  void* data = PyArray_DATA(reinterpret_cast<PyArrayObject*>(array));
  if (type == NPY_FLOAT) {
    *static_cast<float*>(data) = static_cast<float>(number);
  } else {
    *static_cast<double*>(data) = number;
  }
  return py::reinterpret_steal<py::object>(array);
}

py::object convert_array(PyObject* value) {
  if (PyArray_Check(value) || PyArray_CheckScalar(value) || is_real_number(value) || is_other_array(value)) {
    return py::reinterpret_borrow<py::object>(value);
  }
  auto array = py::reinterpret_steal<py::object>(PyArray_FROM_O(value));
  if (!array) throw py::error_already_set();
  return array;
}

/// A number as a Python float, a sequence as an array.
py::object convert_parameter(PyObject* value, const Function& f, const Parameter& parameter) {
  if (is_real_number(value)) {
    const double number = PyFloat_AsDouble(value);
    if (number == -1 && PyErr_Occurred()) throw py::error_already_set();
    return py::float_(number);
  }
  if (is_real_array(value) || is_other_array(value)) return py::reinterpret_borrow<py::object>(value);
  const auto array = py::reinterpret_steal<py::object>(PyArray_FROM_O(value));
  if (array && is_real_array(array.ptr())) return array;
  PyErr_Clear();
  throw py::type_error(f.description->function(f.pass) + ": " + parameter.name +
                       " must be a real number or an array of them, not " + py::repr(value).cast<std::string>());
}

int type_number(const py::object& array) { return PyArray_TYPE(reinterpret_cast<PyArrayObject*>(array.ptr())); }

/// The dtype of an array, of a NumPy scalar, of another library's array, or what the columns of a data frame have in
/// common; None where there is none.
py::object dtype_of(const py::object& value) {
  if (py::hasattr(value, "dtype")) return value.attr("dtype");
  if (!py::hasattr(value, "dtypes")) return py::none();
  return py::module_::import("numpy").attr("result_type")(*py::dict(value.attr("dtypes")).attr("values")());
}

/// The type that the ufunc will choose for these arrays; NPY_NOTYPE where that is not known.
int type_of_call(std::span<const py::object> arrays) {
  std::array<int, most_arrays> types;
  std::size_t count = 0;
  for (const py::object& array : arrays) {
    int type = NPY_BOOL;
    if (PyArray_Check(array.ptr())) {
      type = type_number(array);
    } else if (const py::object dtype = dtype_of(array); PyArray_DescrCheck(dtype.ptr())) {
      type = dtype.attr("num").cast<int>();
    } else if (PyFloat_Check(array.ptr()) || (PyLong_Check(array.ptr()) && !PyBool_Check(array.ptr()))) {
      continue;
    } else if (!PyBool_Check(array.ptr())) {
      return NPY_NOTYPE;
    }
    types[count++] = type;
  }
  return common_type(std::span(types).first(count));
}

/// Refuses parameters that the activation does not allow, in every combination that broadcasting will bring together.
void check(const Function& f, std::span<const py::object> values) {
  const Constraint constraint = f.description->constraints[static_cast<std::size_t>(f.pass)];
  if (constraint.holds == nullptr) return;
  std::array<double, most_parameters> parameters;
  const auto check_one = [&] {
    if (!constraint.holds(parameters.data()))
      throw py::value_error(violation(*f.description, f.pass, parameters.data()));
  };
  if (std::ranges::all_of(values, [](const py::object& value) { return PyFloat_Check(value.ptr()); })) {
    std::ranges::transform(values, parameters.begin(), [](const py::object& v) { return PyFloat_AS_DOUBLE(v.ptr()); });
    return check_one();
  }
  std::array<py::object, most_parameters> arrays;
  std::array<PyObject*, most_parameters> pointers;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (is_other_array(values[i].ptr())) return;
    arrays[i] = py::reinterpret_steal<py::object>(
        PyArray_FROM_OTF(values[i].ptr(), NPY_DOUBLE, NPY_ARRAY_DEFAULT | NPY_ARRAY_FORCECAST));
    if (!arrays[i]) throw py::error_already_set();
    pointers[i] = arrays[i].ptr();
  }
  const auto owner = py::reinterpret_steal<py::object>(
      PyArray_MultiIterFromObjects(pointers.data(), static_cast<int>(values.size()), 0));
  if (!owner) throw py::error_already_set();
  auto* iterator = reinterpret_cast<PyArrayMultiIterObject*>(owner.ptr());
  while (PyArray_MultiIter_NOTDONE(iterator)) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      parameters[i] = *static_cast<const double*>(PyArray_MultiIter_DATA(iterator, static_cast<int>(i)));
    }
    check_one();
    PyArray_MultiIter_NEXT(iterator);
  }
}

PyObject* arguments(PyObject* self, PyObject* const* given, Py_ssize_t count) {
  try {
    const auto& f = *static_cast<const Function*>(PyCapsule_GetPointer(self, nullptr));
    const auto keywords = py::reinterpret_borrow<py::dict>(given[0]);
    py::tuple result(count - 1);
    std::array<py::object, most_arrays> arrays;
    const std::size_t array_count = result.size() - f.description->parameter_count;
    for (std::size_t i = 0; i < array_count; ++i) result[i] = arrays[i] = convert_array(given[1 + i]);

    std::array<py::object, most_parameters> storage;
    const std::span parameters = std::span(storage).first(f.description->parameter_count);
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      parameters[k] = convert_parameter(given[1 + array_count + k], f, f.description->parameters[k]);
    }
    check(f, parameters);

    const bool type_is_given = keywords.contains("dtype") || keywords.contains("signature") || keywords.contains("sig");
    const int type = type_is_given ? NPY_NOTYPE : type_of_call(std::span(arrays).first(array_count));
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      py::object& parameter = parameters[k];
      if (type != NPY_NOTYPE && PyFloat_Check(parameter.ptr())) {
        parameter = array_of(PyFloat_AS_DOUBLE(parameter.ptr()), parameter_type(type));
      }
      result[array_count + k] = parameter;
    }
    return result.release().ptr();
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const py::builtin_exception& error) {
    error.set_error();
  }
  return nullptr;
}

}  // namespace

py::object make_arguments(Activation activation, Pass pass) {
  static PyMethodDef method = {"arguments", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(arguments)),
                               METH_FASTCALL, nullptr};
  auto* function = new Function{&catalogue[static_cast<std::size_t>(activation)], pass};
  const py::capsule self(function, [](void* p) { delete static_cast<Function*>(p); });
  PyObject* created = PyCFunction_New(&method, self.ptr());
  if (created == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(created);
}

}  // namespace fastact::numpy
