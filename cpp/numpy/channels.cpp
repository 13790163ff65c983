#include "numpy/channels.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <optional>

#include "runtime/streaming.hpp"
#include "runtime/threads.hpp"
#include "simd/environment.hpp"

namespace py = pybind11;

namespace fastact::numpy {
namespace {

/// Of elements whose parameters are laid out at a time, and how many of one channel are enough for a call of the
/// kernel.
constexpr std::size_t block = 2048, run_length = 64;
/// Elements filled at a time: compilers make a fixed number of stores of them.
constexpr std::size_t some = 16;

PyArrayObject* array(PyObject* object) { return reinterpret_cast<PyArrayObject*>(object); }

std::span<const npy_intp> shape(PyObject* object) {
  return {PyArray_DIMS(array(object)), static_cast<std::size_t>(PyArray_NDIM(array(object)))};
}

bool is_plain(PyObject* object, int type) {
  return PyArray_CheckExact(object) && PyArray_TYPE(array(object)) == type && PyArray_ISCARRAY_RO(array(object));
}

/// The number of element i of the arrays is that of channel i / inner modulo count.
struct Channels {
  std::size_t count, inner;
};

/// How the parameter's shape lies in that of the arrays.
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

/// Whether two arrays have no byte in common.
bool are_apart(PyObject* a, PyObject* b) {
  const auto* const a_begin = PyArray_BYTES(array(a));
  const auto* const b_begin = PyArray_BYTES(array(b));
  const std::less_equal<> before;
  return before(a_begin + PyArray_NBYTES(array(a)), b_begin) || before(b_begin + PyArray_NBYTES(array(b)), a_begin);
}

template <class T>
void run(Activation activation, Pass pass, std::span<const void* const> arrays, const T* parameter, Channels c, T* out,
         std::size_t n) {
  const Kernel kernel = fastact::kernel<T>(activation, pass);
  const bool streaming = streams(arrays, out, n, sizeof(T));
  const std::size_t period = c.count * c.inner;
  const bool is_uniform = c.inner >= run_length, is_contiguous = c.inner == 1 && c.count >= block;
  split(n, {catalogue[static_cast<std::size_t>(activation)].cost<T>()}, [&](std::size_t begin, std::size_t end) {
    const simd::FloatEnvironment clean;
    alignas(64) T laid_out[block + some];
    std::size_t channel = begin / c.inner % c.count, left = c.inner - begin % c.inner;  // left: of the channel's run
    /// The next elements, up to so many, of one channel where it has more than one beside each other, else of several.
    const auto next = [&](std::size_t most) {
      const std::size_t count = std::min(most, c.inner == 1 ? c.count - channel : left);
      left = c.inner == 1 ? 1 : left - count;
      channel += c.inner == 1 ? count : left == 0 ? 1 : 0;
      if (left == 0) left = c.inner;
      if (channel == c.count) channel = 0;
      return count;
    };
    const auto lay_out = [&](std::size_t count) {
      for (std::size_t i = 0; i < count;) {
        const T* const p = parameter + channel;
        const std::size_t same = next(count - i);
        if (c.inner == 1) {
          std::copy_n(p, same, laid_out + i);
        } else {
          for (std::size_t k = 0; k < same; k += some) std::fill_n(laid_out + i + k, some, *p);
        }
        i += same;
      }
    };
    for (std::size_t i = begin, count; i < end; i += count) {
      const T* p = parameter + channel;
      if (is_uniform || is_contiguous) {
        count = next(end - i);
      } else {
        // As many periods as fit need be laid out but once.
        count = std::min(end - i, period <= block ? block / period * period : block);
        if (i == begin || period > block) lay_out(count);
        p = laid_out;
      }
      std::array<const void*, most_inputs> from;
      for (std::size_t k = 0; k < arrays.size(); ++k) from[k] = static_cast<const T*>(arrays[k]) + i;
      from[arrays.size()] = p;
      kernel(from.data(), out + i, count, {.uniform = is_uniform, .streaming = streaming});
    }
  });
}

}  // namespace

py::object call_by_channel(Activation activation, Pass pass, std::span<PyObject* const> arrays, PyObject* parameter,
                           PyObject* out) {
  if (!PyArray_CheckExact(arrays[0])) return {};
  const int type = PyArray_TYPE(array(arrays[0]));
  const auto sizes = shape(arrays[0]);
  const auto is_alike = [&](PyObject* a) { return is_plain(a, type) && std::ranges::equal(shape(a), sizes); };
  if ((type != NPY_FLOAT && type != NPY_DOUBLE) || sizes.empty() || PyArray_SIZE(array(arrays[0])) == 0) return {};
  if (!std::ranges::all_of(arrays, is_alike) || !is_plain(parameter, type)) return {};
  const std::optional<Channels> c = channels(sizes, shape(parameter));
  if (!c) return {};
  const auto is_harmless = [out](PyObject* a) {
    return PyArray_DATA(array(a)) == PyArray_DATA(array(out)) || are_apart(a, out);
  };
  if (out != nullptr && !(is_alike(out) && PyArray_ISWRITEABLE(array(out)) && are_apart(parameter, out) &&
                          std::ranges::all_of(arrays, is_harmless))) {
    return {};
  }
  auto result =
      out != nullptr
          ? py::reinterpret_borrow<py::object>(out)
          : py::reinterpret_steal<py::object>(PyArray_SimpleNew(PyArray_NDIM(array(arrays[0])), sizes.data(), type));
  if (!result) throw py::error_already_set();
  std::array<const void*, most_inputs> data;
  std::ranges::transform(arrays, data.begin(), [](PyObject* a) { return PyArray_DATA(array(a)); });
  const auto with = [&]<class T>(T* to) {
    const py::gil_scoped_release no_python;
    run<T>(activation, pass, std::span(data).first(arrays.size()),
           static_cast<const T*>(PyArray_DATA(array(parameter))), *c, to,
           static_cast<std::size_t>(PyArray_SIZE(array(result.ptr()))));
  };
  void* const to = PyArray_DATA(array(result.ptr()));
  type == NPY_FLOAT ? with(static_cast<float*>(to)) : with(static_cast<double*>(to));
  return result;
}

}  // namespace fastact::numpy
