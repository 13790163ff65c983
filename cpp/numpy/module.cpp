#define FASTACT_HOLDS_NUMPY_API
#include <fastact/fastact.hpp>

#include <string>
#include <string_view>

#include "numpy/call.hpp"
#include "numpy/pool.hpp"
#include "numpy/rows.hpp"
#include "numpy/ufunc.hpp"
#include "runtime/streaming.hpp"
#include "runtime/threads.hpp"

namespace py = pybind11;

namespace fastact {
namespace {

template <class Sets>
py::tuple names(const Sets& sets) {
  py::list list;
  for (const InstructionSet* set : sets) list.append(set->name);
  return py::tuple(list);
}

py::dict config() {
  using namespace py::literals;
  return py::dict("version"_a = FASTACT_VERSION, "compiler"_a = FASTACT_COMPILER, "built"_a = names(built()),
                  "available"_a = names(available()), "isa"_a = instruction_set(), "openmp"_a = has_openmp(),
                  "threads"_a = get_num_threads(), "streaming"_a = streaming_threshold());
}

/// Adds an activation's ufuncs, those of uniform parameters to a module of their own, so that they too pickle; returns
/// (name, ((parameter, default or None), …), whether it has a backward_from_output).
py::tuple add(py::module_& m, py::module_& uniform, Activation activation) {
  const Description& description = catalogue[static_cast<std::size_t>(activation)];
  bool from_output = false;
  for (const Pass pass : {Pass::forward, Pass::backward, Pass::backward_from_output}) {
    const py::object ufunc = numpy::make_ufunc(activation, pass, false);
    if (!ufunc) continue;
    const std::string name = description.function(pass);
    m.attr(name.c_str()) = ufunc;
    if (description.parameter_count > 0) {
      const py::object uniform_ufunc = numpy::make_ufunc(activation, pass, true);
      uniform.attr(name.c_str()) = uniform_ufunc;
      m.def(("make_" + name).c_str(), [=](const std::string& documentation) {
        return numpy::make_function(activation, pass, ufunc, uniform_ufunc, documentation);
      });
    }
    from_output = pass == Pass::backward_from_output;
  }
  py::tuple parameters(description.parameter_count);
  for (std::size_t i = 0; i < description.parameter_count; ++i) {
    const auto [parameter, value] = description.parameters[i];
    parameters[i] = py::make_tuple(parameter, value == value ? py::object(py::float_(value)) : py::none());
  }
  return py::make_tuple(description.name, parameters, from_output);
}

/// NumPy is for one interpreter of a process, and so is all that is static here.
constexpr const char* refusal = "fastact can only be imported in the main interpreter";
bool is_refused() { return PyInterpreterState_Get() != PyInterpreterState_Main(); }

}  // namespace

PYBIND11_MODULE(main_interpreter, m, py::mod_gil_not_used()) {
  if (is_refused()) throw py::import_error(refusal);
  if (PyArray_ImportNumPyAPI() < 0 || PyUFunc_ImportUFuncAPI() < 0) throw py::error_already_set();
  try {
    current();  // a wrong FASTACT_ISA or FASTACT_NUM_THREADS is an error now, not at the first call
    get_num_threads();
  } catch (const std::invalid_argument& error) {
    const std::string_view message = error.what();  // quotes the variable, which may hold any bytes
    const auto text = py::reinterpret_steal<py::object>(
        PyUnicode_DecodeUTF8(message.data(), static_cast<Py_ssize_t>(message.size()), "backslashreplace"));
    if (!text) throw py::error_already_set();
    throw py::import_error(text.cast<std::string>());
  }
  py::module_ uniform = m.def_submodule("uniform");
  py::list activations, learnable;
  for (std::size_t i = 0; i < std::size(catalogue); ++i) {
    (catalogue[i].learnable ? learnable : activations).append(add(m, uniform, static_cast<Activation>(i)));
  }
  m.attr("activations") = py::tuple(activations);
  m.attr("learnable") = py::tuple(learnable);
  for (std::size_t i = 0; i < std::size(row_catalogue); ++i) {
    m.attr(row_catalogue[i].name) = numpy::make_row_ufunc(static_cast<RowFunction>(i));
  }
  numpy::add_pool(m);
  m.def("config", &config);
  m.def("get_num_threads", &get_num_threads);
  m.def("set_num_threads", &set_num_threads, py::arg("n"));
  m.def("set_grain", &set_grain, py::arg("picoseconds"));
  m.def("set_streaming_threshold", &set_streaming_threshold, py::arg("bytes"));
}

}  // namespace fastact

/// Before Python 3.12 pybind11 would wait forever in another interpreter; from 3.13 on this is called in the main one.
extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
  if (!fastact::is_refused()) return fastact::PyInit_main_interpreter();
  PyErr_SetString(PyExc_ImportError, fastact::refusal);
  return nullptr;
}
