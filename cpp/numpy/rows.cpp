#include "numpy/rows.hpp"

#include <array>
#include <deque>
#include <string_view>

#include "runtime/rows.hpp"

namespace fastact::numpy {
namespace {

struct Function {
  RowKernel kernel;
  std::size_t operands;
  std::array<bool, most_operands> is_row;
};

/// NumPy's inner loop: the operands' strides from row to row, then those along the rows of the operands that have any.
void row_loop(char** data, const npy_intp* dimensions, const npy_intp* steps, void* function) {
  const auto& f = *static_cast<const Function*>(function);
  const npy_intp* along = steps + f.operands;
  RowCall call = {};
  for (std::size_t k = 0; k < f.operands; ++k) call.operands[k] = {data[k], steps[k], f.is_row[k] ? *along++ : 0};
  call.length = static_cast<std::size_t>(dimensions[1]);
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
  std::array<PyUFuncGenericFunction, 2> loops;
  std::array<Function, 2> functions;
  std::array<void*, 2> data;
  std::array<char, 2 * most_operands> types;
};

}  // namespace

pybind11::object make_row_ufunc(RowFunction which) {
  static std::deque<Storage> storage;
  const RowDescription& description = row_catalogue[static_cast<std::size_t>(which)];
  const std::string_view signature = description.signature;
  Function f = {};
  std::size_t inputs = 0;
  for (std::size_t i = 0; i < signature.size(); ++i) {
    if (signature[i] == '(') f.is_row[f.operands++] = signature[i + 1] != ')';
    if (signature[i] == '-') inputs = f.operands;
  }

  Storage& s = storage.emplace_back();
  char* types = s.types.data();
  for (const int type : {NPY_FLOAT, NPY_DOUBLE}) {
    const std::size_t i = type == NPY_FLOAT ? 0 : 1;
    f.kernel = type == NPY_FLOAT ? kernel<float>(which) : kernel<double>(which);
    s.loops[i] = row_loop;
    s.functions[i] = f;
    s.data[i] = &s.functions[i];
    for (std::size_t k = 0; k < f.operands; ++k) {
      const bool is_label = description.labelled && k == 1;
      const bool is_sum = description.parameter && k == f.operands - 1;
      *types++ = static_cast<char>(is_label ? NPY_INT64 : is_sum ? NPY_DOUBLE : type);
    }
  }
  PyObject* ufunc = PyUFunc_FromFuncAndDataAndSignature(s.loops.data(), s.data.data(), s.types.data(), 2,
                                                        static_cast<int>(inputs), static_cast<int>(f.operands - inputs),
                                                        PyUFunc_None, description.name, "", 0, description.signature);
  if (ufunc == nullptr) throw pybind11::error_already_set();
  auto* object = reinterpret_cast<PyUFuncObject*>(ufunc);
  if (description.gated) object->process_core_dims_func = refuse_odd;
  if (description.nonempty) object->process_core_dims_func = refuse_empty;
  return pybind11::reinterpret_steal<pybind11::object>(ufunc);
}

}  // namespace fastact::numpy
