// Finds the channels in the shapes of the arrays of a call.
#include "numpy/channels.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <optional>

#include "numpy/arrays.hpp"
#include "numpy/types.hpp"
#include "runtime/catalogue.hpp"
#include "runtime/channels.hpp"
#include "runtime/dispatch.hpp"

namespace py = pybind11;

namespace fastact::numpy {
namespace {

using kernels::Format;
using runtime::Channels;

/// The channels, if the shape of the parameter matches that of the arrays.
std::optional<Channels> channels(std::span<const npy_intp> of_arrays, std::span<const npy_intp> of_parameter) {
  if (of_parameter.size() > of_arrays.size()) return {};
  const auto whole = of_arrays.last(of_parameter.size());
  const auto differ = [&](std::size_t i) { return of_parameter[i] != whole[i]; };
  std::size_t first = 0, last = of_parameter.size();
  while (first < last && of_parameter[first] == 1) ++first;
  while (first < last && of_parameter[last - 1] == 1) --last;
  for (std::size_t i = first; i < last; ++i) {
    if (differ(i)) return {};
  }
  const auto product = [](std::span<const npy_intp> sizes) {
    return static_cast<std::size_t>(std::accumulate(sizes.begin(), sizes.end(), npy_intp{1}, std::multiplies<>()));
  };
  return Channels{product(of_parameter), product(first == last ? of_arrays : whole.subspan(last))};
}

}  // namespace

py::object call_by_channel(kernels::Activation activation, kernels::Pass pass, std::span<PyObject* const> arrays,
                           PyObject* parameter, PyObject* out) {
  if (!PyArray_CheckExact(arrays[0]) || !PyArray_CheckExact(parameter)) return {};
  const int type = PyArray_TYPE(array(arrays[0]));
  const Format format = format_of(type);
  const auto sizes = shape(arrays[0]);
  const auto is_alike = [&](PyObject* a) { return is_plain(a, type) && std::ranges::equal(shape(a), sizes); };
  if (common_type(std::span(&type, 1)) != type || sizes.empty() || PyArray_SIZE(array(arrays[0])) == 0) return {};
  if (!std::ranges::all_of(arrays, is_alike)) return {};
  const std::optional<Channels> c = channels(sizes, shape(parameter));
  const bool is_double = format == Format::f64;
  const int computed = is_double ? NPY_DOUBLE : NPY_FLOAT;
  // A parameter of as many elements as the arrays is converted by NumPy, in blocks.
  const bool is_short = PyArray_SIZE(array(parameter)) < PyArray_SIZE(array(arrays[0]));
  if (!c || !(is_plain(parameter, computed) ||
              (is_short && PyArray_CanCastSafely(PyArray_TYPE(array(parameter)), computed)))) {
    return {};
  }
  const py::object numbers =
      checked(PyArray_FromArray(array(parameter), PyArray_DescrFromType(computed), NPY_ARRAY_CARRAY_RO));
  if (out != nullptr && !(is_alike(out) && PyArray_ISWRITEABLE(array(out)) && are_apart(numbers, out) &&
                          std::ranges::all_of(arrays, [out](PyObject* a) { return may_share(a, out); }))) {
    return {};
  }
  auto result =
      out != nullptr
          ? py::reinterpret_borrow<py::object>(out)
          : py::reinterpret_steal<py::object>(PyArray_SimpleNew(PyArray_NDIM(array(arrays[0])), sizes.data(), type));
  if (!result) throw py::error_already_set();
  const runtime::Description& description = runtime::describe(activation);
  const std::ptrdiff_t item = kernels::size_of(format);
  runtime::ElementCall call = {
      .kernel = is_double ? runtime::kernel<double>(activation, pass) : runtime::kernel<float>(activation, pass),
      .half = runtime::half_kernel(format, activation, pass),
      .cost = is_double ? description.cost<double>() : description.cost<float>(),
      .arrays = arrays.size(),
      .parameters = 1,
      .format = format,
      .array_type = runtime::ArrayType::as_format,
      .parameter_type = runtime::ParameterType::computed,
      .inputs = {},
      .output = PyArray_DATA(array(result.ptr())),
      .output_stride = item};
  for (std::size_t k = 0; k < arrays.size(); ++k) call.inputs[k] = {PyArray_DATA(array(arrays[k])), item};
  call.inputs[arrays.size()] = {PyArray_DATA(array(numbers)), 0};
  const auto size = static_cast<std::size_t>(PyArray_SIZE(array(result.ptr())));
  const py::gil_scoped_release no_python;
  runtime::run(call, *c, size);
  return result;
}

}  // namespace fastact::numpy
