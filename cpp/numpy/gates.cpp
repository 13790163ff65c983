// Makes the ufuncs of gates' gradients.
#include "numpy/gates.hpp"

#include <array>
#include <deque>
#include <string>

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
  return ufunc;
}

}  // namespace fastact::numpy
