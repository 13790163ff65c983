#include "numpy/rows.hpp"

#include <array>
#include <deque>
#include <string_view>

#include "numpy/types.hpp"
#include "runtime/rows.hpp"

namespace fastact::numpy {
namespace {

struct Function : Signature {
  RowKernel kernel;
  Format format;
  std::array<bool, most_operands> is_row;
};

/// NumPy's inner loop: the operands' strides from row to row, then those along the rows of the operands that have any.
void row_loop(char** data, const npy_intp* dimensions, const npy_intp* steps, void* function) {
  const auto& f = *static_cast<const Function*>(static_cast<const Signature*>(function));
  const npy_intp* along = steps + f.operands;
  RowCall call = {};
  for (std::size_t k = 0; k < f.operands; ++k) call.operands[k] = {data[k], steps[k], f.is_row[k] ? *along++ : 0};
  call.length = static_cast<std::size_t>(dimensions[1]);
  call.rows_format = call.format = f.format;
  run(f.kernel, call, static_cast<std::size_t>(dimensions[0]));
}

int refuse_odd(PyUFuncObject* ufunc, npy_intp* sizes) {
  const npy_intp n = sizes[0];
  npy_intp& half = sizes[1];
  if (n % 2 == 0 && half == -1) half = n / 2;
  if (2 * half == n) return 0;
  if (n % 2 != 0) {
    PyErr_Format(PyExc_ValueError, "%s: x has %zd elements along axis; an even number is needed", ufunc->name, n);
  } else {
    PyErr_Format(PyExc_ValueError, "%s: x has %zd elements along axis, the other array %zd; half as many are needed",
                 ufunc->name, n, half);
  }
  return -1;
}

int refuse_empty(PyUFuncObject* ufunc, npy_intp* sizes) {
  if (sizes[0] != 0) return 0;
  PyErr_Format(PyExc_ValueError, "%s: x has no element along axis; at least one is needed", ufunc->name);
  return -1;
}

/// NumPy keeps pointers to all of this for as long as the ufunc lives, which is to the end of the process.
struct Storage {
  std::array<PyUFuncGenericFunction, 3> loops;
  std::array<Function, 4> functions;
  std::array<void*, 3> data;
  std::array<char, 3 * most_operands> types;
};

}  // namespace

pybind11::object make_row_ufunc(RowFunction which) {
  static std::deque<Storage> storage;
  const RowDescription& description = row_catalogue[static_cast<std::size_t>(which)];
  const std::string_view signature = description.signature;
  Function f = {};
  for (std::size_t i = 0; i < signature.size(); ++i) {
    if (signature[i] == '(') f.is_row[f.operands++] = signature[i + 1] != ')';
    if (signature[i] == '-') f.inputs = f.operands;
  }
  if (description.labelled) f.roles[1] = Role::label;
  if (description.parameter) f.roles[2] = Role::parameter, f.roles[4] = Role::sum;
  f.bfloat16_loop = row_loop;

  Storage& s = storage.emplace_back();
  s.loops.fill(row_loop);
  f.kernel = kernel<float>(which);
  s.functions = {f, f, f, f};
  s.functions[2].kernel = kernel<double>(which);
  constexpr std::array formats = {Format::f16, Format::f32, Format::f64, Format::bf16};
  for (std::size_t i = 0; i < formats.size(); ++i) s.functions[i].format = formats[i];
  s.functions[0].bfloat16_data = &s.functions[3];
  for (std::size_t i = 0; i < s.data.size(); ++i) s.data[i] = static_cast<Signature*>(&s.functions[i]);
  char* types = s.types.data();
  for (const int type : {NPY_HALF, NPY_FLOAT, NPY_DOUBLE}) types = f.write(type, types);
  const auto ufunc = pybind11::reinterpret_steal<pybind11::object>(PyUFunc_FromFuncAndDataAndSignature(
      s.loops.data(), s.data.data(), s.types.data(), static_cast<int>(s.loops.size()), static_cast<int>(f.inputs),
      static_cast<int>(f.operands - f.inputs), PyUFunc_None, description.name, "", 0, description.signature));
  if (!ufunc) throw pybind11::error_already_set();
  add_promoter(ufunc);
  auto* object = reinterpret_cast<PyUFuncObject*>(ufunc.ptr());
  if (description.gated) object->process_core_dims_func = refuse_odd;
  if (description.nonempty) object->process_core_dims_func = refuse_empty;
  return ufunc;
}

}  // namespace fastact::numpy
