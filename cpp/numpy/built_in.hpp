// Makes built-in functions of Python.
#pragma once

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "numpy/arguments.hpp"
#include "numpy/arrays.hpp"

namespace fastact::numpy {

using EntryPoint = PyObject* (*)(PyObject*, PyObject* const* values, Py_ssize_t count, PyObject* names);

template <auto& functions, auto call, std::size_t i>
PyObject* enter(PyObject*, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  return in_c<PyObject*>(nullptr, [&] { return call(functions[i], {values, count, names}).release().ptr(); });
}

/// The entry points of an array of functions; entry point i is call(functions[i], arguments). A built-in function that
/// has a self cannot be pickled by name, so each function has its own.
template <auto& functions, auto call>
constexpr auto entry_points = []<std::size_t... i>(std::index_sequence<i...>) {
  return std::array{enter<functions, call, i>...};
}(std::make_index_sequence<std::tuple_size_v<std::remove_reference_t<decltype(functions)>>>{});

/// Makes the built-in function of an entry point. Python keeps pointers to f's name, documentation and method.
template <class F>
pybind11::object make_built_in(F& f, EntryPoint entry_point) {
  auto* const function = reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(entry_point));
  f.method = {f.name.c_str(), function, METH_FASTCALL | METH_KEYWORDS, f.documentation.c_str()};
  return checked(PyCFunction_New(&f.method, nullptr));
}

}  // namespace fastact::numpy
