#include "numpy/rows.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "numpy/types.hpp"
#include "runtime/rows.hpp"

namespace py = pybind11;

namespace fastact::numpy {
namespace {

struct Function : Signature {
  RowKernel kernel;
  Format format;
  bool gated;
  std::array<npy_intp, most_operands> parts;  // of its axis that an operand has one of, 0 where it has no such axis

  static const Function& from(void* data) { return *static_cast<const Function*>(static_cast<const Signature*>(data)); }
};

/// NumPy's inner loop: the operands' strides from row to row, then those along the rows of the operands that have any.
void row_loop(char** data, const npy_intp* dimensions, const npy_intp* steps, void* function) {
  const Function& f = Function::from(function);
  const npy_intp* along = steps + f.operands;
  RowCall call = {};
  for (std::size_t k = 0; k < f.operands; ++k) call.operands[k] = {data[k], steps[k], f.parts[k] > 0 ? *along++ : 0};
  call.length = static_cast<std::size_t>(dimensions[1]);
  call.rows_format = call.format = f.format;
  run(f.kernel, call, static_cast<std::size_t>(dimensions[0]), f.gated);
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

/// The axis, where the value of `axis` or `axes` names one for all operands, by one object; all else is left to NumPy.
bool read_axis(PyObject* value, npy_intp& axis) {
  const bool is_list = PyList_Check(value) && PyList_GET_SIZE(value) > 0;
  PyObject* const first = is_list ? PyList_GET_ITEM(value, 0) : value;
  if (!PyLong_CheckExact(first) && !PyArray_IsScalar(first, Integer)) return false;
  axis = PyArray_PyIntAsIntp(first);
  const bool is_known = PyErr_Occurred() == nullptr;
  PyErr_Clear();  // NumPy will say it
  const auto items = is_list ? std::span(PySequence_Fast_ITEMS(value), static_cast<std::size_t>(PyList_GET_SIZE(value)))
                             : std::span(&value, 1);
  return is_known && std::ranges::all_of(items, [first](PyObject* item) { return item == first; });
}

/// An output in the order of x, C's or Fortran's, where NumPy would make the axis the innermost; null where it would
/// not, and where what the output is like depends on more than x.
py::object fresh_output(const Function& f, PyObject* const* inputs, npy_intp axis) {
  if (!std::all_of(inputs, inputs + f.inputs, [](PyObject* input) { return PyArray_CheckExact(input); })) return {};
  const auto array = [inputs](std::size_t k) { return reinterpret_cast<PyArrayObject*>(inputs[k]); };
  const auto shape_of = [&](std::size_t k) {
    return std::span(PyArray_DIMS(array(k)), static_cast<std::size_t>(PyArray_NDIM(array(k))));
  };
  const int rank = PyArray_NDIM(array(0));
  const bool is_fortran = PyArray_IS_F_CONTIGUOUS(array(0)) && !PyArray_IS_C_CONTIGUOUS(array(0));
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank || (axis == rank - 1 && !is_fortran)) return {};

  std::vector<npy_intp> shape;
  std::vector<int> types;
  for (std::size_t k = 0; k <= f.inputs; ++k) {
    shape.assign(shape_of(0).begin(), shape_of(0).end());
    if (f.parts[k] == 0) {
      shape.erase(shape.begin() + axis);
    } else {
      shape[static_cast<std::size_t>(axis)] /= f.parts[k];
    }
    if (k == f.inputs) break;
    if (!std::ranges::equal(shape_of(k), shape)) return {};
    if (f.roles[k] == Role::array) types.push_back(PyArray_TYPE(array(k)));
  }
  const int type = common_type(types);
  if (type == NPY_NOTYPE) return {};
  auto output =
      py::reinterpret_steal<py::object>(PyArray_Empty(rank, shape.data(), PyArray_DescrFromType(type), is_fortran));
  if (!output) throw py::error_already_set();
  return output;
}

vectorcallfunc numpys_call;

/// As NumPy calls the ufunc, but for a fresh output's order.
PyObject* call(PyObject* ufunc, PyObject* const* given, std::size_t flags, PyObject* keywords) {
  const Function& f = Function::from(reinterpret_cast<PyUFuncObject*>(ufunc)->data[0]);
  const auto positional = static_cast<std::size_t>(PyVectorcall_NARGS(flags));
  const std::size_t by_name = keywords == nullptr ? 0 : static_cast<std::size_t>(PyTuple_GET_SIZE(keywords));
  npy_intp axis = -1;
  bool is_usual = positional == f.inputs, is_named = false;
  std::size_t out = positional;  // its place
  for (std::size_t i = positional; i < positional + by_name && is_usual; ++i) {
    PyObject* const keyword = PyTuple_GET_ITEM(keywords, static_cast<Py_ssize_t>(i - positional));
    const auto is = [keyword](const char* name) { return PyUnicode_CompareWithASCIIString(keyword, name) == 0; };
    if (is("out") && given[i] == Py_None) {
      is_named = true;
      out = i;
    } else {
      is_usual = (is("axis") || is("axes")) && read_axis(given[i], axis);
    }
  }
  return in_c<PyObject*>(nullptr, [&] {
    const py::object output = is_usual ? fresh_output(f, given, axis) : py::object();
    if (!output) return numpys_call(ufunc, given, flags, keywords);
    std::vector<PyObject*> stack(given, given + positional + by_name);
    if (!is_named) stack.insert(stack.begin() + static_cast<std::ptrdiff_t>(out), nullptr);
    stack[out] = output.ptr();
    return numpys_call(ufunc, stack.data(), is_named ? positional : positional + 1, keywords);
  });
}

/// NumPy keeps pointers to all of this for as long as the ufunc lives, which is to the end of the process.
struct Storage {
  std::array<PyUFuncGenericFunction, 3> loops;
  std::array<Function, 4> functions;
  std::array<void*, 3> data;
  std::array<char, 3 * most_operands> types;
};

}  // namespace

py::object make_row_ufunc(RowFunction which) {
  static std::deque<Storage> storage;
  const RowDescription& description = row_catalogue[static_cast<std::size_t>(which)];
  const std::string_view signature = description.signature;
  Function f = {};
  for (std::size_t i = 0; i < signature.size(); ++i) {
    if (signature[i] == '(') f.parts[f.operands++] = signature[i + 1] == ')' ? 0 : signature[i + 1] == 'm' ? 2 : 1;
    if (signature[i] == '-') f.inputs = f.operands;
  }
  if (description.labelled) f.roles[1] = Role::label;
  if (description.parameter) f.roles[2] = Role::parameter, f.roles[4] = Role::sum;
  f.bfloat16_loop = row_loop;
  f.gated = description.gated;

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
  const auto ufunc = py::reinterpret_steal<py::object>(PyUFunc_FromFuncAndDataAndSignature(
      s.loops.data(), s.data.data(), s.types.data(), static_cast<int>(s.loops.size()), static_cast<int>(f.inputs),
      static_cast<int>(f.operands - f.inputs), PyUFunc_None, description.name, "", 0, description.signature));
  if (!ufunc) throw py::error_already_set();
  add_promoter(ufunc);
  auto* object = reinterpret_cast<PyUFuncObject*>(ufunc.ptr());
  if (description.gated) object->process_core_dims_func = refuse_odd;
  if (description.nonempty) object->process_core_dims_func = refuse_empty;
  if (f.operands == f.inputs + 1 && f.parts[f.inputs] > 0) numpys_call = std::exchange(object->vectorcall, call);
  return ufunc;
}

}  // namespace fastact::numpy
