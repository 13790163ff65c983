#include "numpy/call.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

#include "numpy/channels.hpp"

namespace py = pybind11;

namespace fastact::numpy {
namespace {

constexpr std::size_t most_names = most_inputs + 1, most_others = 16;

/// What a call needs to know. The arguments by position are the arrays, the parameters, and out.
struct Function {
  const Description* description;
  Pass pass;
  Constraint constraint;
  std::string name, documentation;
  PyMethodDef method;
  PyObject *broadcasting, *uniform;
  std::size_t arrays, out;                            // how many arrays there are, and the position of out
  std::array<PyObject*, most_names> names, defaults;  // null where there is no default
};

/// The arguments by position, out null where it is not given, and the keywords that are the ufunc's.
struct Arguments {
  std::array<PyObject*, most_names> named = {};
  std::array<PyObject*, most_others> keywords, values;
  std::size_t others = 0;
};

Arguments take(const Function& f, std::span<PyObject* const> positional, std::span<PyObject* const> values,
               PyObject* keywords) {
  const auto name = [&f](std::size_t i) { return py::handle(f.names[i]).cast<std::string>(); };
  if (positional.size() > f.out + 1) {
    throw py::type_error(f.name + ": at most " + std::to_string(f.out + 1) + " positional arguments, not " +
                         std::to_string(positional.size()));
  }
  Arguments a;
  std::ranges::copy(positional, a.named.begin());
  for (std::size_t k = 0; k < values.size(); ++k) {
    PyObject* const keyword = PyTuple_GET_ITEM(keywords, static_cast<Py_ssize_t>(k));
    std::size_t i = f.arrays;
    while (i <= f.out && PyUnicode_Compare(keyword, f.names[i]) != 0) ++i;
    const bool is_array = !PyTuple_Check(values[k]) && values[k] != Py_None;  // else NumPy is to see that out is named
    if (i < f.out || (i == f.out && is_array)) {
      if (std::exchange(a.named[i], values[k]) == nullptr) continue;
      throw py::type_error(f.name + ": " + name(i) + " is given twice");
    }
    if (a.others == most_others) throw py::type_error(f.name + ": too many keywords");
    a.keywords[a.others] = keyword;
    a.values[a.others++] = values[k];
  }
  for (std::size_t i = 0; i < f.out; ++i) {
    if (a.named[i] == nullptr) a.named[i] = f.defaults[i];
    if (a.named[i] == nullptr) throw py::type_error(f.name + ": " + name(i) + " is missing");
  }
  return a;
}

/// Calls the ufunc with the first so many arguments for inputs, and with out and the keywords.
PyObject* call(PyObject* ufunc, std::size_t inputs, PyObject* out, const Arguments& a) {
  std::array<PyObject*, most_names + most_others> stack;
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

/// Whatever else takes part in ufuncs: a lazy array, perhaps.
bool is_other_array(PyObject* value) { return !PyArray_Check(value) && has_array_ufunc(value); }

/// Whether NumPy may hand the ufunc to this argument, or to what a tuple holds, or it may name the operands' types.
bool may_see_ufunc(PyObject* value) {
  if (PyArray_CheckExact(value) || PyFloat_CheckExact(value) || PyType_Check(value)) return false;
  return PyTuple_Check(value) || PyUnicode_Check(value) || has_array_ufunc(value);
}

/// A number as a Python float, a sequence as an array.
py::object convert_parameter(PyObject* value, const Function& f, py::handle name) {
  if (PyFloat_CheckExact(value)) return py::reinterpret_borrow<py::object>(value);
  if (is_real_number(value)) {
    const double number = PyFloat_AsDouble(value);
    if (number == -1 && PyErr_Occurred()) throw py::error_already_set();
    return py::float_(number);
  }
  if (is_real_array(value) || is_other_array(value)) return py::reinterpret_borrow<py::object>(value);
  const auto array = py::reinterpret_steal<py::object>(PyArray_FROM_O(value));
  if (array && is_real_array(array.ptr())) return array;
  // What does not tell of the value, a lack of memory or an interrupt, is not to be hidden.
  const auto is = [](PyObject* exception) { return PyErr_ExceptionMatches(exception) != 0; };
  if (PyErr_Occurred() && (is(PyExc_MemoryError) || !is(PyExc_Exception))) throw py::error_already_set();
  PyErr_Clear();
  PyErr_Format(PyExc_TypeError, "%s: %U must be a real number or an array of them, not %R", f.name.c_str(), name.ptr(),
               value);
  throw py::error_already_set();
}

/// The parameters where all of them are numbers.
std::optional<Numbers> numbers_of(std::span<const py::object> parameters) {
  Numbers numbers = {};
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    if (!PyFloat_Check(parameters[k].ptr())) return {};
    numbers[k] = PyFloat_AS_DOUBLE(parameters[k].ptr());
  }
  return numbers;
}

/// Refuses parameters that the activation does not allow.
void check(const Function& f, const Numbers& numbers) {
  if (!f.constraint.holds(numbers.data())) throw py::value_error(violation(*f.description, f.pass, numbers.data()));
}

/// Checks every combination that broadcasting will bring together.
void check(const Function& f, std::span<const py::object> parameters) {
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
    check(f, numbers);
    PyArray_MultiIter_NEXT(iterator);
  }
}

/// Numbers go beside the uniform ufunc's arguments, since NumPy spends time on each of these; but whoever sees the
/// ufunc is to find the parameters among its inputs.
PyObject* call(const Function& f, PyObject* const* given, std::size_t positional, PyObject* keywords) {
  const std::size_t by_name = keywords == nullptr ? 0 : static_cast<std::size_t>(PyTuple_GET_SIZE(keywords));
  Arguments a = take(f, std::span(given, positional), std::span(given + positional, by_name), keywords);
  std::array<py::object, most_parameters> storage;
  const std::span parameters = std::span(storage).first(f.out - f.arrays);
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    parameters[k] = convert_parameter(a.named[f.arrays + k], f, f.names[f.arrays + k]);
    a.named[f.arrays + k] = parameters[k].ptr();
  }
  const std::optional<Numbers> numbers = numbers_of(parameters);
  if (f.constraint.holds != nullptr) numbers ? check(f, *numbers) : check(f, parameters);

  if (!numbers && parameters.size() == 1 && a.others == 0) {
    const auto activation = static_cast<Activation>(f.description - catalogue);
    py::object y =
        call_by_channel(activation, f.pass, std::span(a.named).first(f.arrays), parameters[0].ptr(), a.named[f.out]);
    if (y) return y.release().ptr();
  }
  if (!numbers || std::any_of(given, given + positional + by_name, may_see_ufunc)) {
    return call(f.broadcasting, f.out, a.named[f.out], a);
  }
  const UniformParameters scope(*numbers);
  return call(f.uniform, f.arrays, a.named[f.out], a);
}

std::array<Function, std::size(catalogue) * pass_suffixes.size()> functions;

/// A built-in function that has a self does not pickle by its name, so each has an entry of its own.
template <std::size_t i>
PyObject* entry(PyObject*, PyObject* const* given, Py_ssize_t count, PyObject* keywords) {
  return in_c<PyObject*>(nullptr, [&] { return call(functions[i], given, static_cast<std::size_t>(count), keywords); });
}

constexpr auto entries = []<std::size_t... i>(std::index_sequence<i...>) {
  return std::array{entry<i>...};
}(std::make_index_sequence<functions.size()>{});

}  // namespace

py::object make_function(Activation activation, Pass pass, const py::object& broadcasting, const py::object& uniform,
                         const std::string& documentation) {
  const std::size_t index =
      static_cast<std::size_t>(activation) * pass_suffixes.size() + static_cast<std::size_t>(pass);
  Function& f = functions[index];
  f.description = &catalogue[static_cast<std::size_t>(activation)];
  f.constraint = f.description->constraints[static_cast<std::size_t>(pass)];
  f.pass = pass;
  f.broadcasting = broadcasting.inc_ref().ptr();
  f.uniform = uniform.inc_ref().ptr();
  f.arrays = arrays_of(pass);
  f.out = f.arrays + f.description->parameter_count;
  const auto intern = [](const char* name) { return PyUnicode_InternFromString(name); };
  f.names = {intern(pass == Pass::backward_from_output ? "y" : "x"), intern("g")};
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
