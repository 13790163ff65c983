// The extension module: its ufuncs, functions and settings.
#include <cstdint>
#include <string>
#include <string_view>

#include "numpy/call.hpp"
#include "numpy/dropout.hpp"
#include "numpy/elements.hpp"
#include "numpy/gates.hpp"
#include "numpy/norms.hpp"
#include "numpy/pool.hpp"
#include "numpy/row_call.hpp"
#include "numpy/rows.hpp"
#include "runtime/catalogue.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/norms.hpp"
#include "runtime/streaming.hpp"
#include "runtime/threads.hpp"

namespace py = pybind11;

namespace fastact::numpy {
namespace {

using kernels::Activation;
using kernels::Pass;
using kernels::RowFunction;

template <class Sets>
py::tuple names(const Sets& sets) {
  py::list list;
  for (const kernels::InstructionSet* set : sets) list.append(set->name);
  return py::tuple(list);
}

/// The dict {(function, type): (address, address of the vector function or 0, its lanes)} of the instruction set in
/// use. If that has no vector functions, their addresses are those of the best available one, and the lanes are 0: code
/// that numba compiled and cached for another instruction set may still call them.
py::dict singles() {
  const kernels::Singles& set = runtime::current().singles;
  const kernels::Singles& best = runtime::available().front()->singles;
  py::dict functions;
  const auto add = [&](Activation activation, Pass pass, const char* type, std::size_t item, auto single, auto vector) {
    const auto number = [&](auto lookup) {
      return lookup == nullptr ? 0 : reinterpret_cast<std::uintptr_t>(lookup(activation, pass));
    };
    if (number(single) == 0) return;
    functions[py::make_tuple(runtime::describe(activation).function(pass), type)] =
        py::make_tuple(number(single), number(vector), set.vector_bytes / item);
  };
  for (std::size_t i = 0; i < kernels::activation_count; ++i) {
    for (const Pass pass : kernels::passes) {
      add(static_cast<Activation>(i), pass, "float32", sizeof(float), set.f32, best.vector_f32);
      add(static_cast<Activation>(i), pass, "float64", sizeof(double), set.f64, best.vector_f64);
    }
  }
  for (const Activation activation : kernels::gates) {
    add(activation, Pass::gate, "float32", sizeof(float), set.f32, best.vector_f32);
    add(activation, Pass::gate, "float64", sizeof(double), set.f64, best.vector_f64);
  }
  return functions;
}

py::dict config() {
  using namespace py::literals;
  return py::dict("version"_a = FASTACT_VERSION, "compiler"_a = FASTACT_COMPILER, "built"_a = names(runtime::built()),
                  "available"_a = names(runtime::available()), "isa"_a = runtime::current().name,
                  "openmp"_a = runtime::has_openmp(), "threads"_a = runtime::get_num_threads(),
                  "streaming"_a = runtime::streaming_threshold());
}

/// Adds the ufuncs of an activation. Uniform ufuncs are added to a separate module, so that they can be pickled too.
/// Returns (name, ((parameter, default or None), …), whether it has a backward_from_output).
py::tuple add(py::module_& m, py::module_& uniform, Activation activation) {
  const runtime::Description& description = runtime::describe(activation);
  bool from_output = false;
  for (const Pass pass : kernels::passes) {
    const py::object ufunc = make_ufunc(activation, pass, false);
    if (!ufunc) continue;
    const std::string name = description.function(pass);
    m.attr(name.c_str()) = ufunc;
    if (description.parameter_count > 0) {
      const py::object uniform_ufunc = make_ufunc(activation, pass, true);
      uniform.attr(name.c_str()) = uniform_ufunc;
      m.def(("make_" + name).c_str(), [=](const std::string& documentation) {
        return make_function(activation, pass, ufunc, uniform_ufunc, documentation);
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

/// Adds the ufunc of a row function, and the function that makes its Python function; returns its description.
py::tuple add(py::module_& m, RowFunction function) {
  const std::string name = runtime::describe(function).name;
  m.attr(name.c_str()) = make_row_ufunc(function);
  m.def(("make_" + name).c_str(), [=](const std::string& documentation, const py::object& elsewhere) {
    return make_row_function(function, documentation, elsewhere);
  });
  return describe_row_function(function);
}

/// Adds the function that makes that of a norm; returns its description.
py::tuple add(py::module_& m, const runtime::NormDescription& norm) {
  m.def((std::string("make_") + norm.name).c_str(),
        [&norm](const std::string& documentation, const py::object& elsewhere) {
          return make_norm_function(norm, documentation, elsewhere);
        });
  return describe_norm(norm);
}

/// NumPy supports only one interpreter per process, and so do the static objects of this module.
constexpr const char* refusal = "fastact can only be imported in the main interpreter";
bool is_refused() { return PyInterpreterState_Get() != PyInterpreterState_Main(); }

}  // namespace

PYBIND11_MODULE(main_interpreter, m, py::mod_gil_not_used()) {
  if (is_refused()) throw py::import_error(refusal);
  if (PyArray_ImportNumPyAPI() < 0 || PyUFunc_ImportUFuncAPI() < 0) throw py::error_already_set();
  try {
    runtime::current();  // reports an invalid FASTACT_ISA or FASTACT_NUM_THREADS now, not in the first call
    runtime::get_num_threads();
  } catch (const std::invalid_argument& error) {
    const std::string_view message = error.what();  // it quotes the variable, which may contain any bytes
    const auto text = py::reinterpret_steal<py::object>(
        PyUnicode_DecodeUTF8(message.data(), static_cast<Py_ssize_t>(message.size()), "backslashreplace"));
    if (!text) throw py::error_already_set();
    throw py::import_error(text.cast<std::string>());
  }
  py::module_ uniform = m.def_submodule("uniform");
  py::list activations, learnable, losses;
  for (std::size_t i = 0; i < runtime::catalogue.size(); ++i) {
    const runtime::Description& f = runtime::catalogue[i];
    (f.arrays > 1 ? losses : f.learnable ? learnable : activations).append(add(m, uniform, static_cast<Activation>(i)));
  }
  m.attr("activations") = py::tuple(activations);
  m.attr("learnable") = py::tuple(learnable);
  m.attr("losses") = py::tuple(losses);
  py::list gates;
  for (const Activation activation : kernels::gates) {
    const std::string name = runtime::describe(activation).function(Pass::gate);
    m.attr(name.c_str()) = make_ufunc(activation, Pass::gate, false);
    m.attr((name + "_backward").c_str()) = make_gate_gradient_ufunc(activation);
    gates.append(runtime::describe(activation).name);
  }
  m.attr("gates") = py::tuple(gates);
  py::list rows;
  for (std::size_t i = 0; i < runtime::row_catalogue.size(); ++i) rows.append(add(m, static_cast<RowFunction>(i)));
  m.attr("rows") = py::tuple(rows);
  add_dropout(m);
  py::list norms;
  for (const runtime::NormDescription& norm : runtime::norm_catalogue) norms.append(add(m, norm));
  m.attr("norms") = py::tuple(norms);
  add_pool(m);
  m.def("config", &config);
  m.def("singles", &singles);
  m.def("get_num_threads", &runtime::get_num_threads);
  m.def("set_num_threads", &runtime::set_num_threads, py::arg("n"));
  m.def("set_grain", &runtime::set_grain, py::arg("picoseconds"));
  m.def("set_streaming_threshold", &runtime::set_streaming_threshold, py::arg("bytes"));
}

}  // namespace fastact::numpy

/// Before Python 3.12, pybind11 would deadlock in a sub-interpreter; from 3.13 on, this is called in the main
/// interpreter.
extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
  if (!fastact::numpy::is_refused()) return fastact::numpy::PyInit_main_interpreter();
  PyErr_SetString(PyExc_ImportError, fastact::numpy::refusal);
  return nullptr;
}
