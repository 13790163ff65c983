// Assigns the arguments of a call to the names of a function's parameters.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "numpy/api.hpp"

namespace fastact::numpy {

/// The arguments of a function that is called by the vectorcall protocol.
struct Given {
  std::span<PyObject* const> positional, named;
  PyObject* keywords;  // the names of `named`, a tuple

  Given(PyObject* const* values, Py_ssize_t count, PyObject* names)
      : positional(values, static_cast<std::size_t>(count)),
        named(values + count, names == nullptr ? 0 : static_cast<std::size_t>(PyTuple_GET_SIZE(names))),
        keywords(names) {}
};

inline std::string text(PyObject* name) { return pybind11::handle(name).cast<std::string>(); }

/// Assigns the values to the places of their names, of which the first `positional` may be given by position. A keyword
/// argument with another name, or for which `takes(place, value)` is false, is passed to `other(keyword, value)`.
template <class Takes, class Other>
void assign(const std::string& function, std::span<PyObject* const> names, std::size_t positional, const Given& given,
            PyObject** places, const Takes& takes, const Other& other) {
  if (given.positional.size() > positional) {
    throw pybind11::type_error(function + ": at most " + std::to_string(positional) + " positional arguments, not " +
                               std::to_string(given.positional.size()));
  }
  std::ranges::copy(given.positional, places);
  for (std::size_t k = 0; k < given.named.size(); ++k) {
    PyObject *const keyword = PyTuple_GET_ITEM(given.keywords, static_cast<Py_ssize_t>(k)), *const value =
                                                                                                given.named[k];
    // Nearly every keyword is interned, as the names are.
    auto i = static_cast<std::size_t>(std::ranges::find(names, keyword) - names.begin());
    if (i == names.size()) {
      for (i = 0; i < names.size() && PyUnicode_Compare(keyword, names[i]) != 0;) ++i;
    }
    if (i == names.size() || !takes(i, value)) {
      other(keyword, value);
    } else if (std::exchange(places[i], value) != nullptr) {
      throw pybind11::type_error(function + ": " + text(keyword) + " is given twice");
    }
  }
}

inline void require(const std::string& function, std::span<PyObject* const> names, PyObject* const* places) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (places[i] == nullptr) throw pybind11::type_error(function + ": " + text(names[i]) + " is missing");
  }
}

}  // namespace fastact::numpy
