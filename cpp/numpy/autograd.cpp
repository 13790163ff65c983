// Wraps the call of ufuncs to replace one error message.
#include "numpy/autograd.hpp"

#include <span>
#include <string>
#include <utility>

namespace py = pybind11;

namespace fastact::numpy {
namespace {

vectorcallfunc numpys_call;

bool is_autograds(PyObject* value) {
  const py::object module = py::getattr(py::type::handle_of(value), "__module__", py::none());
  return py::isinstance<py::str>(module) && module.cast<std::string>().starts_with("autograd.");
}

PyObject* call(PyObject* ufunc, PyObject* const* given, std::size_t flags, PyObject* keywords) {
  PyObject* const result = numpys_call(ufunc, given, flags, keywords);
  if (result != nullptr || !PyErr_ExceptionMatches(PyExc_TypeError)) return result;
  return in_c<PyObject*>(nullptr, [&]() -> PyObject* {
    py::error_already_set error;
    const std::span values(given, static_cast<std::size_t>(PyVectorcall_NARGS(flags)));
    const py::object modules = py::module_::import("sys").attr("modules");
    for (PyObject* const value : values) {
      if (!is_autograds(value) || modules.contains("fastact.autograd")) continue;
      const char* const name = reinterpret_cast<PyUFuncObject*>(ufunc)->name;
      throw py::type_error(std::string(name) + ": autograd can differentiate it after `import fastact.autograd`");
    }
    throw error;
  });
}

}  // namespace

void explain_autograd(const py::object& ufunc) {
  numpys_call = std::exchange(reinterpret_cast<PyUFuncObject*>(ufunc.ptr())->vectorcall, call);
}

}  // namespace fastact::numpy
