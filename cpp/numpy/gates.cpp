// Makes the ufuncs of gates' gradients, and calls their loops for arrays that need no conversion.
#include "numpy/gates.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "numpy/arrays.hpp"
#include "numpy/autograd.hpp"
#include "numpy/types.hpp"
#include "runtime/catalogue.hpp"
#include "runtime/gates.hpp"

namespace py = pybind11;

namespace fastact::numpy {
namespace {

using kernels::Format;

/// The data of a loop: its call but for the operands.
struct GateLoop : Signature {
  runtime::GateGradientCall call;
};

/// NumPy's inner loop.
void gate_loop(char** data, const npy_intp* dimensions, const npy_intp* steps, void* function) {
  runtime::GateGradientCall call = static_cast<const GateLoop*>(static_cast<const Signature*>(function))->call;
  for (std::size_t k = 0; k < call.inputs.size(); ++k) call.inputs[k] = {data[k], steps[k]};
  for (std::size_t k = 0; k < call.outputs.size(); ++k) {
    call.outputs[k] = {data[call.inputs.size() + k], steps[call.inputs.size() + k]};
  }
  runtime::run(call, static_cast<std::size_t>(*dimensions));
}

constexpr std::array gate_types = {NPY_HALF, NPY_FLOAT, NPY_DOUBLE};
constexpr std::size_t gate_inputs = 3, gate_operands = 5;

/// NumPy keeps pointers to all of this for as long as the ufunc lives, which is to the end of the process.
struct GateStorage {
  std::string name;
  std::array<GateLoop, gate_types.size() + 1> functions;  // that for bfloat16 last
  std::array<PyUFuncGenericFunction, gate_types.size()> loops;
  std::array<void*, gate_types.size()> data;
  std::array<char, gate_types.size() * gate_operands> operand_types;
};

/// NumPy's own implementation of a ufunc call.
vectorcallfunc gate_call_of_numpy = nullptr;

/// Both gradients for plain arrays of one shape and type, or null if the call is NumPy's.
py::object call_plain_gate(const PyUFuncObject* ufunc, std::span<PyObject* const> inputs) {
  if (!PyArray_CheckExact(inputs[0])) return {};
  const int type = PyArray_TYPE(array(inputs[0]));
  const auto loop = std::ranges::find(gate_types, type) - gate_types.begin();
  const auto sizes = shape(inputs[0]);
  const auto fits = [&](PyObject* a) { return is_plain(a, type) && std::ranges::equal(shape(a), sizes); };
  if (loop == std::ssize(gate_types) || sizes.empty() || !std::ranges::all_of(inputs, fits)) return {};
  std::array<py::object, gate_operands - gate_inputs> results;
  std::array<char*, gate_operands> data;
  const auto bytes = [](py::handle a) { return PyArray_BYTES(array(a)); };
  const auto first_result = std::ranges::transform(inputs, data.begin(), bytes).out;
  for (py::object& result : results) {
    result = checked(PyArray_SimpleNew(static_cast<int>(sizes.size()), sizes.data(), type));
  }
  std::ranges::transform(results, first_result, bytes);
  std::array<npy_intp, gate_operands> steps;
  steps.fill(PyArray_ITEMSIZE(array(inputs[0])));
  const npy_intp n = PyArray_SIZE(array(inputs[0]));
  {
    std::optional<py::gil_scoped_release> release;
    if (n >= worth_releasing) release.emplace();
    gate_loop(data.data(), &n, steps.data(), ufunc->data[loop]);
  }
  return checked(PyTuple_Pack(2, results[0].ptr(), results[1].ptr()));
}

PyObject* call_gate(PyObject* self, PyObject* const* arguments, std::size_t count, PyObject* keywords) {
  if (keywords == nullptr && static_cast<std::size_t>(PyVectorcall_NARGS(count)) == gate_inputs) {
    PyObject* const results = in_c<PyObject*>(nullptr, [&] {
      const auto* const ufunc = reinterpret_cast<PyUFuncObject*>(self);
      return call_plain_gate(ufunc, {arguments, gate_inputs}).release().ptr();
    });
    if (results != nullptr || PyErr_Occurred() != nullptr) return results;
  }
  return gate_call_of_numpy(self, arguments, count, keywords);
}

}  // namespace

py::object make_gate_gradient_ufunc(kernels::Activation activation) {
  static std::deque<GateStorage> storage;
  GateStorage& s = storage.emplace_back();
  s.name = runtime::describe(activation).function(kernels::Pass::gate) + "_backward";
  s.loops.fill(gate_loop);
  constexpr std::array formats = {Format::f16, Format::f32, Format::f64, Format::bf16};
  for (std::size_t i = 0; i < formats.size(); ++i) {
    GateLoop& f = s.functions[i];
    f.inputs = gate_inputs;
    f.operands = gate_operands;
    f.bfloat16_loop = gate_loop;
    f.call.activation = activation;
    f.call.format = formats[i];
  }
  s.functions.front().bfloat16_data = &s.functions.back();
  char* to = s.operand_types.data();
  for (std::size_t i = 0; i < gate_types.size(); ++i) {
    s.data[i] = static_cast<Signature*>(&s.functions[i]);
    to = s.functions[i].write(gate_types[i], to);
  }
  const auto ufunc = py::reinterpret_steal<py::object>(PyUFunc_FromFuncAndData(
      s.loops.data(), s.data.data(), s.operand_types.data(), static_cast<int>(gate_types.size()), gate_inputs,
      gate_operands - gate_inputs, PyUFunc_None, s.name.c_str(), "", 0));
  if (!ufunc) throw py::error_already_set();
  add_promoter(ufunc);
  explain_autograd(ufunc);
  auto* const made = reinterpret_cast<PyUFuncObject*>(ufunc.ptr());
  gate_call_of_numpy = std::exchange(made->vectorcall, call_gate);
  return ufunc;
}

}  // namespace fastact::numpy
