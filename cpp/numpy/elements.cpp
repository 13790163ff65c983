// Creates the ufuncs of activations.
#include "numpy/elements.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <string>

#include "numpy/autograd.hpp"
#include "numpy/element_call.hpp"
#include "numpy/types.hpp"
#include "runtime/catalogue.hpp"
#include "runtime/dispatch.hpp"

namespace py = pybind11;

namespace fastact::numpy {
namespace {

using kernels::Format;
using runtime::ParameterType;

static_assert(sizeof(Extended) == sizeof(long double));

/// NumPy's inner loop.
void element_loop(char** data, const npy_intp* dimensions, const npy_intp* steps, void* function) {
  runtime::run(ElementLoop::from(function).with(data, steps), static_cast<std::size_t>(*dimensions));
}

/// Types that have loops of their own, so that NumPy need not cast them before: as arrays are stored, and what they
/// promote to.
struct Integers {
  int type;
  runtime::ArrayType stored;
  bool to_half;
};
constexpr std::array<Integers, 5> integers = {{{NPY_BOOL, runtime::ArrayType::boolean, true},
                                               {NPY_BYTE, runtime::ArrayType::int8, true},
                                               {NPY_UBYTE, runtime::ArrayType::uint8, true},
                                               {NPY_SHORT, runtime::ArrayType::int16, false},
                                               {NPY_USHORT, runtime::ArrayType::uint16, false}}};
constexpr std::size_t most_loops = 3 + integers.size();

/// NumPy keeps pointers to all of this for as long as the ufunc lives, which is to the end of the process.
struct ElementStorage {
  std::string name;
  std::array<ElementLoop, 7> functions;
  std::array<ElementLoop, integers.size()> of_integers;
  std::array<PyUFuncGenericFunction, most_loops> loops;
  std::array<void*, most_loops> data;
  std::array<char, most_loops*(kernels::most_inputs + 1)> types;
};

}  // namespace

py::object make_ufunc(kernels::Activation activation, kernels::Pass pass, bool uniform) {
  static std::deque<ElementStorage> storage;
  const runtime::Description& description = runtime::describe(activation);
  if (runtime::kernel<float>(activation, pass) == nullptr) return {};

  ElementLoop f = {};
  f.call.arrays = description.inputs(pass).size();
  f.call.parameters = description.parameter_count;
  std::ranges::transform(description.parameters, f.defaults.begin(), &runtime::Parameter::value);
  f.inputs = uniform ? f.call.arrays : f.call.arrays + f.call.parameters;
  f.operands = f.inputs + 1;
  std::fill(f.roles.begin() + f.call.arrays, f.roles.begin() + f.inputs, Role::parameter);
  f.bfloat16_loop = element_loop;

  ElementStorage& s = storage.emplace_back();
  s.name = description.function(pass);
  s.functions.fill(f);
  auto& [half, single, twice, extended_half, extended_single, bfloat16, extended_bfloat16] = s.functions;
  const auto set = [&](ElementLoop& function, Format format, bool extended) {
    const bool is_double = format == Format::f64;
    function.call.format = format;
    function.call.kernel =
        is_double ? runtime::kernel<double>(activation, pass) : runtime::kernel<float>(activation, pass);
    function.call.half = runtime::half_kernel(format, activation, pass);
    function.call.cost = is_double ? description.cost<double>() : description.cost<float>();
    function.call.parameter_type = uniform    ? ParameterType::float64
                                   : extended ? ParameterType::extended
                                              : ParameterType::computed;
    if (extended) function.parameter_type = NPY_LONGDOUBLE;
  };
  set(half, Format::f16, false);
  set(single, Format::f32, false);
  set(twice, Format::f64, false);
  set(extended_half, Format::f16, true);
  set(extended_single, Format::f32, true);
  set(bfloat16, Format::bf16, false);
  set(extended_bfloat16, Format::bf16, true);
  half.extended = &extended_half;
  half.bfloat16_data = &bfloat16;
  extended_half.bfloat16_data = &extended_bfloat16;

  s.loops.fill(element_loop);
  char* types = s.types.data();
  std::size_t loops = 0;
  const auto add = [&](int type, ElementLoop& function) {
    s.data[loops++] = static_cast<Signature*>(&function);
    types = function.write(type, types);
  };
  add(NPY_HALF, half);
  add(NPY_FLOAT, single);
  add(NPY_DOUBLE, twice);
  if (f.inputs > f.call.arrays) {
    add(NPY_HALF, extended_half);
    add(NPY_FLOAT, extended_single);
  } else if (f.inputs == 1) {
    for (std::size_t k = 0; k < integers.size(); ++k) {
      const auto [type, stored, to_half] = integers[k];
      s.of_integers[k] = to_half ? half : single;
      s.of_integers[k].call.array_type = stored;
      s.data[loops++] = static_cast<Signature*>(&s.of_integers[k]);
      *types++ = static_cast<char>(type);
      *types++ = static_cast<char>(to_half ? NPY_HALF : NPY_FLOAT);
    }
  }
  const auto ufunc = py::reinterpret_steal<py::object>(
      PyUFunc_FromFuncAndData(s.loops.data(), s.data.data(), s.types.data(), static_cast<int>(loops),
                              static_cast<int>(f.inputs), 1, PyUFunc_None, s.name.c_str(), "", 0));
  if (!ufunc) throw py::error_already_set();
  add_promoter(ufunc);
  explain_autograd(ufunc);
  call_directly(reinterpret_cast<PyUFuncObject*>(ufunc.ptr()));
  return ufunc;
}

}  // namespace fastact::numpy
