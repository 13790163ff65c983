// Reads and checks the arguments of a call with parameters, and calls the ufunc.
#include "numpy/call.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

#include "numpy/arguments.hpp"
#include "numpy/arrays.hpp"
#include "numpy/channels.hpp"
#include "numpy/elements.hpp"
#include "numpy/types.hpp"
#include "runtime/catalogue.hpp"

namespace py = pybind11;

namespace fastact::numpy {
namespace {

using kernels::Activation;
using kernels::most_parameters;
using kernels::Pass;

constexpr std::size_t most_named = kernels::most_inputs + 1, most_others = 16;

/// The description of a function for its calls. The positional arguments are the arrays, the parameters, and out.
struct ParameterFunction {
  const runtime::Description* description;
  Pass pass;
  std::string name, documentation;
  PyMethodDef method;
  PyObject *broadcasting, *uniform;
  std::size_t arrays, out;                            // the number of arrays, and the position of out
  std::array<PyObject*, most_named> names, defaults;  // a default is null if the argument must be given
};

/// The positional arguments, of which out may be null, and the keywords that are passed on to the ufunc.
struct ParameterArguments {
  std::array<PyObject*, most_named> named = {};
  std::array<PyObject*, most_others> keywords, values;
  std::size_t others = 0;
};

ParameterArguments take(const ParameterFunction& f, const Given& given) {
  ParameterArguments a;
  const std::span names = std::span(f.names).first(f.out + 1);
  // NumPy must see that out was given by name if it is None, an ellipsis or a tuple.
  const auto takes = [&f](std::size_t i, PyObject* value) {
    return i != f.out || (!PyTuple_Check(value) && value != Py_None && value != Py_Ellipsis);
  };
  assign(f.name, names, names.size(), given, a.named.data(), takes, [&](PyObject* keyword, PyObject* value) {
    if (a.others == most_others) throw py::type_error(f.name + ": too many keywords");
    a.keywords[a.others] = keyword;
    a.values[a.others++] = value;
  });
  for (std::size_t i = 0; i < f.out; ++i) {
    if (a.named[i] == nullptr) a.named[i] = f.defaults[i];
  }
  require(f.name, names.first(f.out), a.named.data());
  return a;
}

/// Calls the ufunc with the first arguments as inputs, and with out and the keywords.
PyObject* call(PyObject* ufunc, std::size_t inputs, PyObject* out, const ParameterArguments& a) {
  std::array<PyObject*, most_named + most_others> stack;
  auto* end = std::copy_n(a.named.begin(), inputs, stack.begin());
  if (out != nullptr) *end++ = out;
  std::copy_n(a.values.begin(), a.others, end);
  py::object keywords;
  if (a.others > 0) keywords = py::tuple(a.others);
  for (std::size_t k = 0; k < a.others; ++k) {
    PyTuple_SET_ITEM(keywords.ptr(), static_cast<Py_ssize_t>(k), Py_NewRef(a.keywords[k]));
  }
  return PyObject_Vectorcall(ufunc, stack.data(), static_cast<std::size_t>(end - stack.begin()), keywords.ptr());
}

bool is_real(const PyArray_Descr* dtype) { return PyArray_CanCastSafely(dtype->type_num, NPY_LONGDOUBLE); }

bool is_real_number(PyObject* value) {
  if (PyFloat_Check(value) || PyLong_Check(value) || PyArray_IsScalar(value, Floating)) return true;
  if (!PyArray_IsScalar(value, Generic)) return false;
  PyArray_Descr* dtype = PyArray_DescrFromScalar(value);
  const auto owner = py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(dtype));
  return is_real(dtype);
}

bool is_real_array(PyObject* value) {
  return PyArray_Check(value) && is_real(PyArray_DESCR(reinterpret_cast<PyArrayObject*>(value)));
}

bool has_array_ufunc(PyObject* value) {
  static PyObject* const name = PyUnicode_InternFromString("__array_ufunc__");
  return PyObject_HasAttr(value, name);
}

/// Whether the object overrides ufuncs, as a lazy array does.
bool is_other_array(PyObject* value) { return !PyArray_Check(value) && has_array_ufunc(value); }

/// Whether NumPy may pass the ufunc to this argument or to an element of a tuple, or the argument may state the types
/// of the operands.
bool may_see_ufunc(PyObject* value) {
  if (PyArray_CheckExact(value) || PyFloat_CheckExact(value) || PyType_Check(value)) return false;
  return PyTuple_Check(value) || PyUnicode_Check(value) || has_array_ufunc(value);
}

/// Whether NumPy may pass the ufunc to an argument of the call. The texts of casting and order state no types.
bool may_see_ufunc(const Given& given) {
  const auto is = [](PyObject* keyword, const char* name) {
    return PyUnicode_CompareWithASCIIString(keyword, name) == 0;
  };
  for (std::size_t k = 0; k < given.named.size(); ++k) {
    PyObject* const keyword = PyTuple_GET_ITEM(given.keywords, static_cast<Py_ssize_t>(k));
    if (!may_see_ufunc(given.named[k])) continue;
    if (!PyUnicode_Check(given.named[k]) || !(is(keyword, "casting") || is(keyword, "order"))) return true;
  }
  return std::ranges::any_of(given.positional, [](PyObject* value) { return may_see_ufunc(value); });
}

/// Converts a number to a Python float and a sequence to an array.
py::object convert_parameter(PyObject* value, const ParameterFunction& f, py::handle name) {
  if (PyFloat_CheckExact(value)) return py::reinterpret_borrow<py::object>(value);
  if (is_real_number(value)) {
    const double number = PyFloat_AsDouble(value);
    if (number == -1 && PyErr_Occurred()) throw py::error_already_set();
    return py::float_(number);
  }
  if (is_real_array(value) || is_other_array(value)) return py::reinterpret_borrow<py::object>(value);
  const auto array = py::reinterpret_steal<py::object>(PyArray_FROM_O(value));
  if (array && is_real_array(array.ptr())) return array;
  // An exception that is not about the value, such as a lack of memory or an interrupt, must not be hidden.
  const auto is = [](PyObject* exception) { return PyErr_ExceptionMatches(exception) != 0; };
  if (PyErr_Occurred() && (is(PyExc_MemoryError) || !is(PyExc_Exception))) throw py::error_already_set();
  PyErr_Clear();
  PyErr_Format(PyExc_TypeError, "%s: %U must be a real number or an array of them, not %R", f.name.c_str(), name.ptr(),
               value);
  throw py::error_already_set();
}

/// The parameters, if all of them are numbers.
std::optional<Numbers> numbers_of(std::span<const py::object> parameters) {
  Numbers numbers = {};
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    if (!PyFloat_Check(parameters[k].ptr())) return {};
    numbers[k] = PyFloat_AS_DOUBLE(parameters[k].ptr());
  }
  return numbers;
}

/// The type number of an array argument; NPY_NOTYPE if it is unknown.
int given_type(PyObject* value) {
  PyArray_Descr* dtype = nullptr;
  if (const auto attribute = py::getattr(value, "dtype", py::none()); !attribute.is_none()) {
    PyArray_DescrConverter(attribute.ptr(), &dtype);
  } else if (const auto array = py::reinterpret_steal<py::object>(PyArray_FROM_O(value))) {
    dtype = PyArray_DESCR(reinterpret_cast<PyArrayObject*>(array.ptr()));
    Py_INCREF(dtype);
  }
  PyErr_Clear();  // NumPy will report the error
  const auto owner = py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(dtype));
  return dtype == nullptr ? int{NPY_NOTYPE} : dtype->type_num;
}

/// Whether the call computes in float. `dtype` decides or, if it is not given, the arrays; Python numbers do not
/// matter.
bool computes_in_single(const ParameterFunction& f, const ParameterArguments& a) {
  std::array<int, kernels::most_inputs> types;
  std::size_t count = 0;
  for (std::size_t k = 0; k < f.arrays; ++k) {
    PyObject* const array = a.named[k];
    if (!PyFloat_CheckExact(array) && !PyLong_CheckExact(array)) types[count++] = given_type(array);
  }
  for (std::size_t k = 0; k < a.others; ++k) {
    PyArray_Descr* dtype = nullptr;
    if (PyUnicode_CompareWithASCIIString(a.keywords[k], "dtype") != 0 || a.values[k] == Py_None) continue;
    if (PyArray_DescrConverter(a.values[k], &dtype) == NPY_FAIL) throw py::error_already_set();
    types[0] = dtype->type_num;
    count = 1;
    Py_DECREF(dtype);
  }
  const int type = common_type(std::span(types).first(count));
  return type != NPY_DOUBLE && type != NPY_NOTYPE;
}

/// Throws ValueError for parameters that the activation does not allow, or does not allow after rounding to float.
void check(const ParameterFunction& f, const ParameterArguments& a, const Numbers& numbers) {
  const bool in_single = !f.description->constraint(f.pass).holds_in_single(numbers) && computes_in_single(f, a);
  const std::string violation = runtime::violation(*f.description, f.pass, numbers.data(), in_single);
  if (!violation.empty()) throw py::value_error(violation);
}

/// Checks every combination of parameters that broadcasting produces.
void check(const ParameterFunction& f, const ParameterArguments& a, std::span<const py::object> parameters) {
  std::array<py::object, most_parameters> arrays;
  std::array<PyObject*, most_parameters> pointers;
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    if (is_other_array(parameters[k].ptr())) return;
    arrays[k] = py::reinterpret_steal<py::object>(
        PyArray_FROM_OTF(parameters[k].ptr(), NPY_DOUBLE, NPY_ARRAY_DEFAULT | NPY_ARRAY_FORCECAST));
    if (!arrays[k]) throw py::error_already_set();
    pointers[k] = arrays[k].ptr();
  }
  const auto owner = py::reinterpret_steal<py::object>(
      PyArray_MultiIterFromObjects(pointers.data(), static_cast<int>(parameters.size()), 0));
  if (!owner) throw py::error_already_set();
  auto* iterator = reinterpret_cast<PyArrayMultiIterObject*>(owner.ptr());
  while (PyArray_MultiIter_NOTDONE(iterator)) {
    Numbers numbers = {};
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      numbers[k] = *static_cast<const double*>(PyArray_MultiIter_DATA(iterator, static_cast<int>(k)));
    }
    check(f, a, numbers);
    PyArray_MultiIter_NEXT(iterator);
  }
}

/// If NumPy has refused a parameter with one number for each channel, adds a hint how to make it broadcast.
void explain_channels(const ParameterFunction& f, const ParameterArguments& a, std::span<const py::object> parameters) {
  if (!PyErr_ExceptionMatches(PyExc_ValueError) || !PyArray_Check(a.named[0])) return;
  py::error_already_set numpys;
  const auto x = shape(a.named[0]);
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    if (!PyArray_Check(parameters[k].ptr())) continue;
    const auto parameter = shape(parameters[k]);
    PyObject* const name = f.names[f.arrays + k];
    const py::str hint = channel_hint(name, parameter, x);
    if (py::len(hint) == 0 || parameter[0] == x.back()) continue;
    PyErr_Format(PyExc_ValueError, "%s: %U has shape %S, which does not broadcast to x's %S%U", f.name.c_str(), name,
                 shape_of(parameters[k]).ptr(), shape_of(a.named[0]).ptr(), hint.ptr());
    return;
  }
  numpys.restore();
}

/// Numbers are not passed to the uniform ufunc as arguments, because NumPy spends time on each argument. If the type of
/// an argument may see the ufunc, the other ufunc is called, whose inputs include the parameters.
PyObject* call(const ParameterFunction& f, const Given& given) {
  ParameterArguments a = take(f, given);
  std::array<py::object, most_parameters> storage;
  const std::span parameters = std::span(storage).first(f.out - f.arrays);
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    parameters[k] = convert_parameter(a.named[f.arrays + k], f, f.names[f.arrays + k]);
    a.named[f.arrays + k] = parameters[k].ptr();
  }
  const std::optional<Numbers> numbers = numbers_of(parameters);
  if (f.description->constraint(f.pass).holds != nullptr) numbers ? check(f, a, *numbers) : check(f, a, parameters);

  if (!numbers && parameters.size() == 1 && a.others == 0) {
    const auto activation = static_cast<Activation>(f.description - runtime::catalogue.data());
    py::object y =
        call_by_channel(activation, f.pass, std::span(a.named).first(f.arrays), parameters[0].ptr(), a.named[f.out]);
    if (y) return y.release().ptr();
  }
  if (!numbers || may_see_ufunc(given)) {
    PyObject* const y = call(f.broadcasting, f.out, a.named[f.out], a);
    if (y == nullptr) explain_channels(f, a, parameters);
    return y;
  }
  const UniformParameters scope(*numbers);
  return call(f.uniform, f.arrays, a.named[f.out], a);
}

std::array<ParameterFunction, kernels::activation_count * kernels::passes.size()> parameter_functions;

/// A built-in function that has a self cannot be pickled by name, so each function has its own entry point.
template <std::size_t i>
PyObject* entry(PyObject*, PyObject* const* given, Py_ssize_t count, PyObject* keywords) {
  return in_c<PyObject*>(nullptr, [&] { return call(parameter_functions[i], {given, count, keywords}); });
}

constexpr auto entries = []<std::size_t... i>(std::index_sequence<i...>) {
  return std::array{entry<i>...};
}(std::make_index_sequence<parameter_functions.size()>{});

}  // namespace

py::object make_function(Activation activation, Pass pass, const py::object& broadcasting, const py::object& uniform,
                         const std::string& documentation) {
  const std::size_t index =
      static_cast<std::size_t>(activation) * kernels::passes.size() + static_cast<std::size_t>(pass);
  ParameterFunction& f = parameter_functions[index];
  f.description = &runtime::describe(activation);
  f.pass = pass;
  f.broadcasting = broadcasting.inc_ref().ptr();
  f.uniform = uniform.inc_ref().ptr();
  const auto inputs = f.description->inputs(pass);
  f.arrays = inputs.size();
  f.out = f.arrays + f.description->parameter_count;
  const auto intern = [](const char* name) { return PyUnicode_InternFromString(name); };
  std::ranges::transform(inputs, f.names.begin(), intern);
  for (std::size_t k = 0; k < f.description->parameter_count; ++k) {
    const auto [name, value] = f.description->parameters[k];
    f.names[f.arrays + k] = intern(name);
    if (!std::isnan(value)) f.defaults[f.arrays + k] = py::float_(value).release().ptr();
  }
  f.names[f.out] = intern("out");
  f.name = f.description->function(pass);
  f.documentation = documentation;
  auto* const entry = reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(entries[index]));
  f.method = {f.name.c_str(), entry, METH_FASTCALL | METH_KEYWORDS, f.documentation.c_str()};
  auto function = py::reinterpret_steal<py::object>(PyCFunction_New(&f.method, nullptr));
  if (!function) throw py::error_already_set();
  return function;
}

}  // namespace fastact::numpy
