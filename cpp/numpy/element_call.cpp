// Calls the loops of ufuncs for arrays that need no conversion, and leaves other calls to NumPy.
#include "numpy/element_call.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <span>

#include "numpy/arrays.hpp"
#include "runtime/masked.hpp"

namespace py = pybind11;

namespace fastact::numpy {

runtime::ElementCall ElementLoop::with(char* const* data, const npy_intp* steps) const {
  runtime::ElementCall result = call;
  for (std::size_t k = 0; k < inputs; ++k) result.inputs[k] = {data[k], steps[k]};
  const Numbers& numbers = UniformParameters::current == nullptr ? defaults : *UniformParameters::current;
  for (std::size_t k = inputs; k < call.arrays + call.parameters; ++k) {
    result.inputs[k] = {&numbers[k - call.arrays], 0};
  }
  result.output = data[inputs];
  result.output_stride = steps[inputs];
  return result;
}

namespace {

using kernels::most_inputs;
using Inputs = std::span<PyObject* const>;

static_assert(runtime::most_masked_axes >= NPY_MAXDIMS);

/// NumPy's own implementation of a ufunc call.
vectorcallfunc call_of_numpy = nullptr;

/// The arguments `where` and `out` of a call that has no other keywords.
struct Options {
  PyObject *where = nullptr, *out = nullptr;
  bool names_out = false;  // also true for out=None

  /// Whether the call has this many inputs and no other keywords.
  bool read(std::size_t inputs, PyObject* const* arguments, std::size_t positional, PyObject* keywords) {
    if (positional != inputs && positional != inputs + 1) return false;
    names_out = positional > inputs;
    if (names_out) out = arguments[inputs];
    const Py_ssize_t count = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
    for (Py_ssize_t k = 0; k < count; ++k) {
      PyObject* const keyword = PyTuple_GET_ITEM(keywords, k);
      PyObject* const value = arguments[positional + static_cast<std::size_t>(k)];
      if (PyUnicode_CompareWithASCIIString(keyword, "where") == 0) {
        where = value;
      } else if (PyUnicode_CompareWithASCIIString(keyword, "out") == 0 && !names_out) {
        names_out = true;
        out = PyTuple_CheckExact(value) && PyTuple_GET_SIZE(value) == 1 ? PyTuple_GET_ITEM(value, 0) : value;
      } else {
        return false;
      }
    }
    if (out == Py_None) out = nullptr;
    if (where == Py_True) where = nullptr;
    return true;
  }
};

/// A loop, and the type of its output.
struct Loop {
  const ElementLoop& data;
  int type;
};

/// Whether NumPy gives the number the type of the arrays, in which it is certainly finite.
bool is_number(PyObject* value) {
  constexpr double largest_half = 65504;
  if (PyFloat_CheckExact(value)) return std::abs(PyFloat_AS_DOUBLE(value)) <= largest_half;
  if (!PyLong_CheckExact(value)) return false;
  int overflow = 0;
  const long number = PyLong_AsLongAndOverflow(value, &overflow);
  return overflow == 0 && std::abs(static_cast<double>(number)) <= largest_half;
}

/// The loop that has exactly the types of the arrays among the inputs; the other inputs must be numbers.
std::optional<Loop> find_loop(const PyUFuncObject* ufunc, Inputs inputs) {
  std::array<int, most_inputs> given;
  const auto type_of_input = [](PyObject* a) {
    return PyArray_CheckExact(a) ? PyArray_TYPE(array(a)) : int{NPY_NOTYPE};
  };
  std::ranges::transform(inputs, given.begin(), type_of_input);
  const auto fits = [&](const ElementLoop& loop, const auto* types) {
    if (loop.parameter_type == NPY_LONGDOUBLE) return false;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (given[k] != types[k] && (given[k] != NPY_NOTYPE || loop.roles[k] != Role::array)) return false;
    }
    return true;
  };
  if (given[0] == NPY_NOTYPE) return {};
  for (int i = 0; i < ufunc->ntypes; ++i) {
    const auto& loop = ElementLoop::from(ufunc->data[i]);
    const char* const types = ufunc->types + i * ufunc->nargs;
    if (fits(loop, types)) return Loop{loop, types[inputs.size()]};
  }
  if (!is_bfloat16(given[0])) return {};
  const auto& loop = ElementLoop::from(ElementLoop::from(ufunc->data[0]).bfloat16_data);
  std::array<int, most_inputs + 1> types;
  loop.write(given[0], types.data());
  if (!fits(loop, types.data())) return {};
  return Loop{loop, given[0]};
}

/// Runs f, without the GIL if there are many elements.
template <class F>
void compute(npy_intp elements, const F& f) {
  std::optional<py::gil_scoped_release> release;
  if (elements >= worth_releasing) release.emplace();
  f();
}

/// Calls the loop for plain arrays of one shape.
py::object call_plain(PyUFuncObject* ufunc, Inputs inputs, PyObject* out) {
  if (!PyArray_CheckExact(inputs[0])) return {};
  const auto sizes = shape(inputs[0]);
  const auto is_alike = [sizes](PyObject* a) {
    return PyArray_CheckExact(a) && PyArray_ISCARRAY_RO(array(a)) && std::ranges::equal(shape(a), sizes);
  };
  if (sizes.empty() || !std::ranges::all_of(inputs, is_alike)) return {};
  const std::optional<Loop> loop = find_loop(ufunc, inputs);
  if (!loop) return {};
  const auto may_be_input = [out](PyObject* a) { return may_share(a, out); };
  if (out != nullptr && !(is_alike(out) && PyArray_TYPE(array(out)) == loop->type && PyArray_ISWRITEABLE(array(out)) &&
                          std::ranges::all_of(inputs, may_be_input))) {
    return {};
  }
  auto result = out != nullptr ? py::reinterpret_borrow<py::object>(out)
                               : checked(PyArray_SimpleNew(static_cast<int>(sizes.size()), sizes.data(), loop->type));
  std::array<char*, most_inputs + 1> data;
  std::array<npy_intp, most_inputs + 1> steps;
  const auto add = [&](std::size_t k, PyObject* a) {
    data[k] = PyArray_BYTES(array(a));
    steps[k] = PyArray_ITEMSIZE(array(a));
  };
  for (std::size_t k = 0; k < inputs.size(); ++k) add(k, inputs[k]);
  add(inputs.size(), result.ptr());
  const npy_intp n = PyArray_SIZE(array(result));
  const runtime::ElementCall call = loop->data.with(data.data(), steps.data());
  compute(n, [&] { runtime::run(call, static_cast<std::size_t>(n)); });
  return result;
}

/// Calls the loop for a few elements of arrays of one shape after their conversion to plain arrays of the type that
/// NumPy would choose, which takes less time than NumPy's buffers.
py::object call_converted(PyUFuncObject* ufunc, Inputs inputs, PyObject* out) {
  constexpr npy_intp few = 1024;
  if (ElementLoop::from(ufunc->data[0]).call.arrays != inputs.size() || !PyArray_CheckExact(inputs[0])) return {};
  const auto sizes = shape(inputs[0]);
  if (PyArray_SIZE(array(inputs[0])) > few) return {};
  std::array<int, most_inputs> types;
  bool plain = true;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!PyArray_CheckExact(inputs[k]) || !std::ranges::equal(shape(inputs[k]), sizes)) return {};
    // The result would have the same order in memory.
    if (sizes.size() > 1 && !PyArray_IS_C_CONTIGUOUS(array(inputs[k]))) return {};
    types[k] = PyArray_TYPE(array(inputs[k]));
    plain = plain && types[k] == types[0] && PyArray_ISCARRAY_RO(array(inputs[k]));
  }
  const int type = common_type(std::span(types).first(inputs.size()));
  if (type == NPY_NOTYPE || (plain && types[0] == type)) return {};
  std::array<py::object, most_inputs> converted;
  std::array<PyObject*, most_inputs> pointers;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    constexpr int flags = NPY_ARRAY_CARRAY_RO | NPY_ARRAY_NOTSWAPPED;
    converted[k] = checked(PyArray_FromArray(array(inputs[k]), PyArray_DescrFromType(type), flags));
    pointers[k] = converted[k].ptr();
  }
  return call_plain(ufunc, std::span(pointers).first(inputs.size()), out);
}

/// Has NumPy warn, as it may, that the elements where a mask is false are not initialized: by a call without elements.
void warn_of_uninitialized(PyUFuncObject* ufunc, Inputs inputs) {
  npy_intp none = 0;
  const auto empty = [&none](int type) { return checked(PyArray_SimpleNew(1, &none, type)); };
  std::array<py::object, most_inputs + 1> arrays;
  std::array<PyObject*, most_inputs + 1> pointers;
  for (std::size_t k = 0; k <= inputs.size(); ++k) {
    arrays[k] = empty(k == inputs.size() ? int{NPY_BOOL} : PyArray_TYPE(array(inputs[k])));
    pointers[k] = arrays[k].ptr();
  }
  const py::tuple where = py::make_tuple("where");
  checked(call_of_numpy(reinterpret_cast<PyObject*>(ufunc), pointers.data(), inputs.size(), where.ptr()));
}

/// NumPy's iterator over the operands of a call, which broadcasts them and orders their axes. It is used for the axes
/// alone.
using Iterator = std::unique_ptr<NpyIter, decltype([](NpyIter* iterator) { NpyIter_Deallocate(iterator); })>;

/// Calls the loop for the elements where a mask is true. The arrays may lie in memory in any way.
py::object call_masked(PyUFuncObject* ufunc, Inputs given, const Options& options) {
  if (!PyArray_CheckExact(options.where) || PyArray_TYPE(array(options.where)) != NPY_BOOL) return {};
  const std::optional<Loop> loop = find_loop(ufunc, given);
  if (!loop || (options.out != nullptr && !PyArray_CheckExact(options.out))) return {};
  const std::size_t inputs = given.size();
  // The inputs, the output, and the mask.
  constexpr std::size_t most = most_inputs + 2;
  std::array<py::object, most> operands;
  for (std::size_t k = 0; k < inputs; ++k) {
    if (PyArray_CheckExact(given[k])) {
      operands[k] = py::reinterpret_borrow<py::object>(given[k]);
    } else if (is_number(given[k])) {
      operands[k] = checked(PyArray_FromAny(given[k], PyArray_DescrFromType(loop->type), 0, 0, 0, nullptr));
    } else {
      return {};
    }
  }
  operands[inputs] = py::reinterpret_borrow<py::object>(options.out);
  operands[inputs + 1] = py::reinterpret_borrow<py::object>(options.where);

  const py::object type = checked(reinterpret_cast<PyObject*>(PyArray_DescrFromType(loop->type)));
  std::array<PyArrayObject*, most> arrays;
  std::ranges::transform(operands, arrays.begin(), [](const py::object& a) { return array(a); });
  std::array<npy_uint32, most> flags;
  flags.fill(NPY_ITER_READONLY | NPY_ITER_ALIGNED | NPY_ITER_NBO | NPY_ITER_OVERLAP_ASSUME_ELEMENTWISE);
  // Elements that the mask excludes must stay unchanged, even if NumPy makes the iterator write to a copy.
  flags[inputs] = NPY_ITER_ALIGNED | NPY_ITER_NBO | NPY_ITER_NO_BROADCAST | NPY_ITER_OVERLAP_ASSUME_ELEMENTWISE |
                  (options.out != nullptr ? NPY_ITER_READWRITE : NPY_ITER_WRITEONLY | NPY_ITER_ALLOCATE);
  flags[inputs + 1] = NPY_ITER_READONLY;
  std::array<PyArray_Descr*, most> types = {};
  types[inputs] = reinterpret_cast<PyArray_Descr*>(type.ptr());
  const Iterator iterator(NpyIter_MultiNew(static_cast<int>(inputs) + 2, arrays.data(),
                                           NPY_ITER_ZEROSIZE_OK | NPY_ITER_COPY_IF_OVERLAP, NPY_KEEPORDER,
                                           NPY_NO_CASTING, flags.data(), types.data()));
  if (iterator == nullptr) {
    PyErr_Clear();  // NumPy will report the error
    return {};
  }
  PyArrayObject** const ready = NpyIter_GetOperandArray(iterator.get());
  if (options.out == nullptr) {
    if (PyArray_NDIM(ready[inputs]) == 0) return {};
    if (!options.names_out) warn_of_uninitialized(ufunc, Inputs(reinterpret_cast<PyObject**>(ready), inputs));
  }
  auto result = options.out != nullptr ? operands[inputs]
                                       : py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(ready[inputs]));

  std::array<runtime::MaskedAxis, runtime::most_masked_axes> axes = {
      {{.size = 1, .inputs = {}, .output = 0, .mask = 0}}};
  std::array<npy_intp, NPY_MAXDIMS> sizes;
  NpyIter_GetShape(iterator.get(), sizes.data());
  const int count = NpyIter_GetNDim(iterator.get());
  for (int i = 0; i < count; ++i) {
    // NumPy numbers the axes from the fastest on.
    const npy_intp* const strides = NpyIter_GetAxisStrideArray(iterator.get(), i);
    auto& axis = axes[static_cast<std::size_t>(count - 1 - i)];
    axis.size = static_cast<std::size_t>(sizes[static_cast<std::size_t>(i)]);
    axis.inputs = {};
    std::copy_n(strides, inputs, axis.inputs.begin());
    axis.output = strides[inputs];
    axis.mask = strides[inputs + 1];
  }
  char** const data = NpyIter_GetDataPtrArray(iterator.get());
  constexpr std::array<npy_intp, most_inputs + 1> no_steps = {};
  runtime::MaskedCall call = {
      .call = loop->data.with(data, no_steps.data()),
      .sizes = {},
      .mask = reinterpret_cast<const unsigned char*>(data[inputs + 1]),
      .axes = std::span<const runtime::MaskedAxis>(axes).first(static_cast<std::size_t>(std::max(1, count)))};
  for (std::size_t k = 0; k < inputs; ++k) call.sizes[k] = static_cast<std::size_t>(PyArray_ITEMSIZE(ready[k]));
  const npy_intp n = NpyIter_GetIterSize(iterator.get());
  compute(n, [&call, n] {
    if (n > 0) runtime::run(call);
  });
  return result;
}

PyObject* call_ufunc(PyObject* self, PyObject* const* arguments, std::size_t count, PyObject* keywords) {
  PyObject* const result = in_c<PyObject*>(nullptr, [&] {
    auto* const ufunc = reinterpret_cast<PyUFuncObject*>(self);
    const Inputs inputs(arguments, static_cast<std::size_t>(ufunc->nin));
    Options options;
    if (!options.read(inputs.size(), arguments,
                      static_cast<std::size_t>(PyVectorcall_NARGS(static_cast<std::size_t>(count))), keywords)) {
      return static_cast<PyObject*>(nullptr);
    }
    if (options.where != nullptr) return call_masked(ufunc, inputs, options).release().ptr();
    py::object y = call_plain(ufunc, inputs, options.out);
    if (!y) y = call_converted(ufunc, inputs, options.out);
    return y.release().ptr();
  });
  if (result != nullptr || PyErr_Occurred() != nullptr) return result;
  return call_of_numpy(self, arguments, count, keywords);
}

}  // namespace

void call_directly(PyUFuncObject* ufunc) {
  call_of_numpy = ufunc->vectorcall;
  ufunc->vectorcall = call_ufunc;
}

}  // namespace fastact::numpy
