// Calls dropout: reads and checks the arguments, creates the output, and computes.
#include "numpy/dropout.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

#include "kernels/interface.hpp"
#include "numpy/arguments.hpp"
#include "numpy/arrays.hpp"
#include "numpy/built_in.hpp"
#include "numpy/types.hpp"
#include "runtime/dropout.hpp"

namespace py = pybind11;

namespace fastact::numpy {
namespace {

using kernels::Format;

/// The places of the arguments.
enum DropoutArgument : std::size_t { of_array, of_rate, of_seed, of_offset, of_out, dropout_arguments };

struct DropoutFunction {
  std::string name, documentation;
  std::array<PyObject*, dropout_arguments> arguments;
  PyMethodDef method;
  PyObject* elsewhere;
};

#define FASTACT_NAME(name) #name,
constexpr std::array dropout_names = {FASTACT_DROPOUT(FASTACT_NAME)};
#undef FASTACT_NAME
std::array<DropoutFunction, dropout_names.size()> dropout_functions;

/// Whether kernels compute with the array as it lies in memory.
bool has_kernel(PyObject* a) {
  if (!PyArray_CheckExact(a) || !PyArray_ISBEHAVED_RO(array(a))) return false;
  const int type = PyArray_TYPE(array(a));
  return common_type(std::span(&type, 1)) == type;
}

Format stored(py::handle a) { return format_of(PyArray_TYPE(array(a))); }

/// Whether the result may be written to `out`, an array like x that is apart from it or the same.
bool is_like(PyObject* x, PyObject* out) {
  if (!has_kernel(out) || !PyArray_ISWRITEABLE(array(out)) || PyArray_TYPE(array(out)) != PyArray_TYPE(array(x))) {
    return false;
  }
  const auto dimensions = shape(x).size();
  return std::ranges::equal(shape(x), shape(out)) &&
         (are_apart(x, out) ||
          (PyArray_DATA(array(x)) == PyArray_DATA(array(out)) &&
           std::equal(PyArray_STRIDES(array(x)), PyArray_STRIDES(array(x)) + dimensions, PyArray_STRIDES(array(out)))));
}

double read_rate(const std::string& function, PyObject* value) {
  const double rate = PyFloat_AsDouble(value);
  if (rate == -1 && PyErr_Occurred()) {
    PyErr_Clear();
    PyErr_Format(PyExc_TypeError, "%s: rate must be a number, not %R", function.c_str(), value);
    throw py::error_already_set();
  }
  return rate;
}

/// An integer of so many bits.
std::uint64_t read_integer(const std::string& function, const char* name, PyObject* value, int bits) {
  const auto integer = py::reinterpret_steal<py::object>(PyNumber_Index(value));
  if (!integer) {
    PyErr_Clear();
    PyErr_Format(PyExc_TypeError, "%s: %s must be an integer, not %R", function.c_str(), name, value);
    throw py::error_already_set();
  }
  const std::uint64_t number = PyLong_AsUnsignedLongLong(integer.ptr());
  const bool failed = PyErr_Occurred() != nullptr;
  if (failed || (bits < 64 && number >> bits != 0)) {
    PyErr_Clear();
    PyErr_Format(PyExc_ValueError, "%s: %s is %S; 0 <= %s < 2**%d is required", function.c_str(), name, integer.ptr(),
                 name, bits);
    throw py::error_already_set();
  }
  return number;
}

/// Drops elements of x, whose neighbours along each axis have these distances in the stream, or those of C order.
py::object drop(const std::string& function, py::handle x, py::object out, PyObject* rate, PyObject* seed,
                PyObject* offset, std::span<const std::uint64_t> places) {
  const std::uint64_t first = offset == nullptr ? 0 : read_integer(function, "offset", offset, 63);
  kernels::DropoutCall call;
  try {
    call =
        runtime::dropout_call(function, read_rate(function, rate), read_integer(function, "seed", seed, 64), stored(x));
  } catch (const std::invalid_argument& error) {
    throw py::value_error(error.what());
  }
  if (!out) out = checked(PyArray_NewLikeArray(array(x), NPY_KEEPORDER, nullptr, 0));
  const std::size_t dimensions = shape(x).size();
  std::vector<runtime::DropoutAxis> axes(dimensions);
  std::uint64_t place = 1;
  for (std::size_t i = dimensions; i-- > 0;) {
    const auto axis = static_cast<int>(i);
    const auto length = static_cast<std::size_t>(PyArray_DIM(array(x), axis));
    axes[i] = {length, PyArray_STRIDE(array(x), axis), PyArray_STRIDE(array(out), axis),
               places.empty() ? place : places[i]};
    place *= length;
  }
  if (const npy_intp elements = PyArray_SIZE(array(x)); elements > 0) {
    std::optional<py::gil_scoped_release> release;
    if (elements >= worth_releasing) release.emplace();
    runtime::drop(call, stored(x), PyArray_DATA(array(x)), PyArray_DATA(array(out)), first, std::move(axes));
  }
  return out;
}

py::object call_dropout(const DropoutFunction& f, const Given& given) {
  std::array<PyObject*, dropout_arguments> values = {};
  const auto takes = [](std::size_t, PyObject*) { return true; };
  assign(f.name, f.arguments, of_out, given, values.data(), takes, [&](PyObject* keyword, PyObject*) {
    throw py::type_error(f.name + ": no argument is called '" + text(keyword) + "'");
  });
  require(f.name, std::span(f.arguments).first(of_offset), values.data());
  PyObject *const x = values[of_array], *const out = values[of_out] == Py_None ? nullptr : values[of_out];
  if (has_kernel(x) && (out == nullptr || is_like(x, out))) {
    py::object y = drop(f.name, x, py::reinterpret_borrow<py::object>(out), values[of_rate], values[of_seed],
                        values[of_offset], {});
    return out != nullptr ? y : checked(PyArray_Return(array(y.release())));
  }
  const py::object offset =
      values[of_offset] == nullptr ? py::int_(0) : py::reinterpret_borrow<py::object>(values[of_offset]);
  return py::handle(f.elsewhere)(f.name, py::handle(x), py::handle(values[of_rate]), py::handle(values[of_seed]),
                                 offset, py::handle(out == nullptr ? Py_None : out));
}

template <std::size_t i>
void add_dropout_function(py::module_& m) {
  const std::string name = dropout_names[i];
  m.def(("make_" + name).c_str(), [name](const std::string& documentation, const py::object& elsewhere) {
    DropoutFunction& f = dropout_functions[i];
    f.name = name;
    f.documentation = documentation;
    std::size_t k = 0;
    for (const char* argument : {i == 0 ? "x" : "g", "rate", "seed", "offset", "out"}) {
      f.arguments[k++] = PyUnicode_InternFromString(argument);
    }
    f.elsewhere = elsewhere.inc_ref().ptr();
    return make_built_in(f, entry_points<dropout_functions, call_dropout>[i]);
  });
  m.def((name + "_part").c_str(), [name](const py::object& x, const py::object& rate, const py::object& seed,
                                         const py::object& offset, const py::tuple& places) {
    std::vector<std::uint64_t> numbers;
    for (const py::handle place : places) numbers.push_back(place.cast<std::uint64_t>());
    return drop(name, x, {}, rate.ptr(), seed.ptr(), offset.ptr(), numbers);
  });
}

}  // namespace

void add_dropout(py::module_& m) {
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    (add_dropout_function<i>(m), ...);
  }(std::make_index_sequence<dropout_names.size()>{});
}

}  // namespace fastact::numpy
