// Creates the generalized ufuncs of row functions.
#include "numpy/rows.hpp"

#include <algorithm>
#include <array>
#include <deque>

#include "numpy/autograd.hpp"
#include "numpy/types.hpp"
#include "runtime/catalogue.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/rows.hpp"

namespace py = pybind11;

namespace fastact::numpy {
namespace {

using kernels::Format;

struct RowLoop : Signature {
  kernels::RowKernel kernel;
  Format format;
  bool halves;
  std::array<npy_intp, kernels::most_operands> divisors;  // of the axis' length, 0 for an operand without the axis

  static const RowLoop& from(void* data) { return *static_cast<const RowLoop*>(static_cast<const Signature*>(data)); }
};

/// The inner loop for NumPy. The strides are those of all operands from row to row, then those along the rows.
void row_loop(char** data, const npy_intp* dimensions, const npy_intp* steps, void* function) {
  const RowLoop& f = RowLoop::from(function);
  const npy_intp* along = steps + f.operands;
  kernels::RowCall call = {};
  for (std::size_t k = 0; k < f.operands; ++k) call.operands[k] = {data[k], steps[k], f.divisors[k] > 0 ? *along++ : 0};
  call.length = static_cast<std::size_t>(dimensions[1]);
  call.rows_format = call.format = f.format;
  runtime::run(f.kernel, call, static_cast<std::size_t>(dimensions[0]), f.halves);
}

int refuse_odd(PyUFuncObject* ufunc, npy_intp* sizes) {
  const npy_intp n = sizes[0];
  npy_intp& half = sizes[1];
  if (n % 2 == 0 && half == -1) half = n / 2;
  if (2 * half == n) return 0;
  if (n % 2 != 0) {
    PyErr_Format(PyExc_ValueError, "%s: x has %zd elements along axis; an even number is required", ufunc->name, n);
  } else {
    PyErr_Format(PyExc_ValueError, "%s: x has %zd elements along axis, the other array %zd; half as many are needed",
                 ufunc->name, n, half);
  }
  return -1;
}

int refuse_empty(PyUFuncObject* ufunc, npy_intp* sizes) {
  if (sizes[0] != 0) return 0;
  PyErr_Format(PyExc_ValueError, "%s: x has no element along axis; at least one is required", ufunc->name);
  return -1;
}

/// NumPy keeps pointers to these objects during the lifetime of the ufunc, which is that of the process.
struct RowStorage {
  std::array<PyUFuncGenericFunction, 3> loops;
  std::array<RowLoop, 4> functions;
  std::array<void*, 3> data;
  std::array<char, 3 * kernels::most_operands> types;
};

}  // namespace

py::object make_row_ufunc(kernels::RowFunction which) {
  static std::deque<RowStorage> storage;
  const runtime::RowDescription& description = runtime::describe(which);
  const runtime::RowSignature& signature = description.signature;
  RowLoop f = {};
  f.inputs = signature.inputs;
  f.operands = signature.count;
  for (std::size_t k = 0; k < f.operands; ++k) {
    f.divisors[k] = static_cast<npy_intp>(signature.operands[k].divisor);
    f.roles[k] = signature.operands[k].role;
  }
  f.bfloat16_loop = row_loop;
  f.halves = signature.halves();

  RowStorage& s = storage.emplace_back();
  s.loops.fill(row_loop);
  f.kernel = runtime::kernel<float>(which);
  s.functions = {f, f, f, f};
  s.functions[2].kernel = runtime::kernel<double>(which);
  constexpr std::array formats = {Format::f16, Format::f32, Format::f64, Format::bf16};
  for (std::size_t i = 0; i < formats.size(); ++i) s.functions[i].format = formats[i];
  s.functions[0].bfloat16_data = &s.functions[3];
  for (std::size_t i = 0; i < s.data.size(); ++i) s.data[i] = static_cast<Signature*>(&s.functions[i]);
  char* types = s.types.data();
  for (const int type : {NPY_HALF, NPY_FLOAT, NPY_DOUBLE}) types = f.write(type, types);
  const auto ufunc = py::reinterpret_steal<py::object>(PyUFunc_FromFuncAndDataAndSignature(
      s.loops.data(), s.data.data(), s.types.data(), static_cast<int>(s.loops.size()), static_cast<int>(f.inputs),
      static_cast<int>(f.operands - f.inputs), PyUFunc_None, description.name, "", 0, signature.core()));
  if (!ufunc) throw py::error_already_set();
  add_promoter(ufunc);
  explain_autograd(ufunc);
  auto* object = reinterpret_cast<PyUFuncObject*>(ufunc.ptr());
  if (f.halves) object->process_core_dims_func = refuse_odd;
  if (description.nonempty) object->process_core_dims_func = refuse_empty;
  return ufunc;
}

}  // namespace fastact::numpy
