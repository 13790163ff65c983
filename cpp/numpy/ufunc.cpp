#include "numpy/ufunc.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <string>

#include "runtime/threads.hpp"
#include "simd/environment.hpp"

namespace fastact::numpy {
namespace {

constexpr std::size_t most_inputs = most_arrays + most_parameters;

/// What a strided loop needs to know of its function.
struct Function {
  Kernel kernel;
  std::size_t arrays, parameters;
};

template <class T>
void pack(const char* from, npy_intp stride, T* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i, from += stride) to[i] = *reinterpret_cast<const T*>(from);
}

template <class T>
void unpack(const T* from, char* to, npy_intp stride, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i, to += stride) *reinterpret_cast<T*>(to) = from[i];
}

/// NumPy's inner loop. What is contiguous goes to the kernel as it is; anything else passes through a block that stays
/// in the first-level cache. Parameters that do not vary stay one element each, else all are given an element each.
template <class T>
void strided_loop(char** data, const npy_intp* dimensions, const npy_intp* steps, void* function) {
  constexpr npy_intp item = sizeof(T);
  constexpr std::size_t block = 1024;
  const auto& f = *static_cast<const Function*>(function);
  const auto n = static_cast<std::size_t>(*dimensions);
  const std::size_t inputs = f.arrays + f.parameters;

  const bool uniform = std::all_of(steps + f.arrays, steps + inputs, [](npy_intp step) { return step == 0; });
  const auto as_it_is = [&](std::size_t k) { return steps[k] == item || (uniform && k >= f.arrays && k < inputs); };
  bool direct = true;
  for (std::size_t k = 0; k <= inputs; ++k) direct = direct && as_it_is(k);

  split(n, [&](std::size_t begin, std::size_t end) {
    const simd::FloatEnvironment clean;
    alignas(64) T buffers[most_inputs + 1][block];
    std::array<const void*, most_inputs> from;
    const std::size_t stride = direct ? end - begin : block;
    for (std::size_t i = begin; i < end; i += stride) {
      const std::size_t count = std::min(stride, end - i);
      const auto at = [&](std::size_t k) { return data[k] + static_cast<npy_intp>(i) * steps[k]; };
      for (std::size_t k = 0; k < inputs; ++k) {
        from[k] = as_it_is(k) ? at(k) : reinterpret_cast<const char*>(buffers[k]);
        if (!as_it_is(k)) pack(at(k), steps[k], buffers[k], count);
      }
      if (as_it_is(inputs)) {
        f.kernel(from.data(), at(inputs), count, uniform);
      } else {
        f.kernel(from.data(), buffers[inputs], count, uniform);
        unpack(buffers[inputs], at(inputs), steps[inputs], count);
      }
    }
  });
}

/// NumPy keeps pointers to all of this for as long as the ufunc lives, which is to the end of the process.
struct Storage {
  std::string name;
  std::array<PyUFuncGenericFunction, 2> loops;
  std::array<Function, 2> functions;
  std::array<void*, 2> data;
  std::array<char, 2 * (most_inputs + 1)> types;
};

}  // namespace

pybind11::object make_ufunc(Activation activation, Pass pass) {
  static std::deque<Storage> storage;
  const Description& description = catalogue[static_cast<std::size_t>(activation)];
  const std::size_t arrays = pass == Pass::forward ? 1 : 2;
  const std::array kernels = {kernel<float>(activation, pass), kernel<double>(activation, pass)};
  if (kernels[0] == nullptr) return {};

  Storage& s = storage.emplace_back();
  s.name = description.function(pass);
  s.loops = {strided_loop<float>, strided_loop<double>};
  char* types = s.types.data();
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    s.functions[i] = {kernels[i], arrays, description.parameter_count};
    s.data[i] = &s.functions[i];
    types = std::fill_n(types, arrays + description.parameter_count + 1, i == 0 ? NPY_FLOAT : NPY_DOUBLE);
  }
  PyObject* ufunc = PyUFunc_FromFuncAndData(s.loops.data(), s.data.data(), s.types.data(), 2,
                                            static_cast<int>(arrays + description.parameter_count), 1, PyUFunc_None,
                                            s.name.c_str(), "", 0);
  if (ufunc == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::object>(ufunc);
}

}  // namespace fastact::numpy
