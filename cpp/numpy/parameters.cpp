#include "numpy/parameters.hpp"

#include <array>
#include <span>
#include <string>

namespace py = pybind11;

namespace fastact::numpy {
namespace {

struct Function {
  const Description* description;
  Pass pass;
};

bool is_number(PyObject* value) { return PyFloat_Check(value) || PyLong_Check(value) || PyArray_CheckScalar(value); }

/// A number as a 0-d array, a sequence as an array, an array as it is; whatever takes part in ufuncs by
/// __array_ufunc__, a lazy array perhaps, is left alone.
py::object convert(PyObject* value, const Function& f, const Parameter& parameter) {
  if (is_number(value)) {
    const double number = PyFloat_AsDouble(value);
    if (!PyErr_Occurred()) {
      PyObject* array = PyArray_SimpleNew(0, nullptr, NPY_DOUBLE);
      if (array == nullptr) throw py::error_already_set();
      *static_cast<double*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(array))) = number;
      return py::reinterpret_steal<py::object>(array);
    }
  } else if (PyArray_Check(value) || py::hasattr(value, "__array_ufunc__")) {
    return py::reinterpret_borrow<py::object>(value);
  } else if (PyObject* array = PyArray_FROM_OTF(value, NPY_DOUBLE, NPY_ARRAY_DEFAULT)) {
    return py::reinterpret_steal<py::object>(array);
  }
  PyErr_Clear();
  throw py::type_error(f.description->function(f.pass) + ": " + parameter.name +
                       " must be a real number or an array of them, not " + Py_TYPE(value)->tp_name);
}

void check(const Function& f, const double* parameters) {
  if (!f.description->constraints[static_cast<std::size_t>(f.pass)].holds(parameters)) {
    throw py::value_error(violation(*f.description, f.pass, parameters));
  }
}

/// Checks every combination that broadcasting will bring together.
void check_all(const Function& f, const py::tuple& values) {
  std::array<py::object, most_parameters> arrays;
  std::array<PyObject*, most_parameters> pointers;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!PyArray_Check(values[i].ptr())) return;
    arrays[i] = py::reinterpret_steal<py::object>(PyArray_FROM_OTF(values[i].ptr(), NPY_DOUBLE, NPY_ARRAY_DEFAULT));
    if (!arrays[i]) throw py::error_already_set();
    pointers[i] = arrays[i].ptr();
  }
  PyObject* created = PyArray_MultiIterFromObjects(pointers.data(), static_cast<int>(values.size()), 0);
  if (created == nullptr) throw py::error_already_set();
  const auto owner = py::reinterpret_steal<py::object>(created);
  auto* iterator = reinterpret_cast<PyArrayMultiIterObject*>(created);
  std::array<double, most_parameters> parameters;
  while (PyArray_MultiIter_NOTDONE(iterator)) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      parameters[i] = *static_cast<const double*>(PyArray_MultiIter_DATA(iterator, static_cast<int>(i)));
    }
    check(f, parameters.data());
    PyArray_MultiIter_NEXT(iterator);
  }
}

PyObject* parameters(PyObject* self, PyObject* const* values, Py_ssize_t count) {
  try {
    const auto& f = *static_cast<const Function*>(PyCapsule_GetPointer(self, nullptr));
    const std::span given(values, static_cast<std::size_t>(count));
    if (given.size() != f.description->parameter_count) throw py::type_error("wrong number of parameters");
    py::tuple converted(given.size());
    for (std::size_t i = 0; i < given.size(); ++i) {
      converted[i] = convert(given[i], f, f.description->parameters[i]);
    }
    if (f.description->constraints[static_cast<std::size_t>(f.pass)].holds != nullptr) check_all(f, converted);
    return converted.release().ptr();
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const py::builtin_exception& error) {
    error.set_error();
  }
  return nullptr;
}

}  // namespace

py::object make_parameters(Activation activation, Pass pass) {
  static PyMethodDef method = {"parameters", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(parameters)),
                               METH_FASTCALL, nullptr};
  auto* function = new Function{&catalogue[static_cast<std::size_t>(activation)], pass};
  const py::capsule self(function, [](void* p) { delete static_cast<Function*>(p); });
  PyObject* created = PyCFunction_New(&method, self.ptr());
  if (created == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(created);
}

}  // namespace fastact::numpy
