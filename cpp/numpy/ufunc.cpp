#include "numpy/ufunc.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <deque>
#include <span>
#include <string>
#include <type_traits>

#include "numpy/types.hpp"
#include "runtime/streaming.hpp"
#include "runtime/threads.hpp"
#include "simd/environment.hpp"

namespace py = pybind11;

namespace fastact::numpy {
namespace {

constexpr std::size_t block = 1024;

/// What kernels compute in for arrays of S.
template <class S>
using Computed = std::conditional_t<simd::HalfPrecision<S>, float, S>;

/// What a strided loop needs to know of its function.
struct Function : Signature {
  Kernel kernel;
  std::size_t arrays, parameters, cost;
  Numbers defaults;  // of the parameters
};

template <class T>
void pack(const char* from, npy_intp stride, T* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i, from += stride) to[i] = *reinterpret_cast<const T*>(from);
}
/// By way of double, since FloatEnvironment does not restore the flags of long double.
template <std::same_as<Wide> W, class T>
void pack(const char* from, npy_intp stride, T* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i, from += stride) {
    to[i] = static_cast<T>(static_cast<double>(*reinterpret_cast<const W*>(from)));
  }
}
template <simd::HalfPrecision S>
void pack(const char* from, npy_intp stride, float* to, std::size_t count) {
  S packed[block];
  if (stride != sizeof(S)) pack<S>(from, stride, packed, count);
  conversion<S>().widen(stride == sizeof(S) ? reinterpret_cast<const S*>(from) : packed, to, count);
}

template <class T>
void unpack(const T* from, char* to, npy_intp stride, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i, to += stride) *reinterpret_cast<T*>(to) = from[i];
}
template <simd::HalfPrecision S>
void unpack(const float* from, char* to, npy_intp stride, std::size_t count) {
  S packed[block];
  conversion<S>().narrow(from, stride == sizeof(S) ? reinterpret_cast<S*>(to) : packed, count);
  if (stride != sizeof(S)) unpack<S>(packed, to, stride, count);
}

/// NumPy's inner loop for arrays of S. What is contiguous goes to the kernel as it is; anything else, and all that is
/// of half precision, passes through a block of its type that stays in the first-level cache. Parameters that do not
/// vary stay one element each, else all are given an element each.
template <class S>
void strided_loop(char** data, const npy_intp* dimensions, const npy_intp* steps, void* function) {
  using T = Computed<S>;
  const auto& f = *static_cast<const Function*>(static_cast<const Signature*>(function));
  const auto n = static_cast<std::size_t>(*dimensions);
  const Numbers& beside = UniformParameters::current == nullptr ? f.defaults : *UniformParameters::current;

  const bool uniform = std::all_of(steps + f.arrays, steps + f.inputs, [](npy_intp step) { return step == 0; });
  const std::size_t varying = uniform ? f.arrays : f.inputs;
  const auto is_parameter = [&](std::size_t k) { return k >= f.arrays && k < f.inputs; };
  const bool wide = f.parameter_type == NPY_LONGDOUBLE;
  const auto as_it_is = [&](std::size_t k) {
    return steps[k] == sizeof(T) && (is_parameter(k) ? !wide : std::is_same_v<S, T>);
  };
  const auto at = [&](std::size_t k, std::size_t i) { return data[k] + static_cast<npy_intp>(i) * steps[k]; };
  const auto load = [&](std::size_t k, std::size_t i, T* to, std::size_t count) {
    if (!is_parameter(k)) {
      pack<S>(at(k, i), steps[k], to, count);
    } else if (wide) {
      pack<Wide>(at(k, i), steps[k], to, count);
    } else {
      pack<T>(at(k, i), steps[k], to, count);
    }
  };
  bool direct = as_it_is(f.inputs);
  for (std::size_t k = 0; k < varying; ++k) direct = direct && as_it_is(k);

  std::array<const void*, most_inputs> arrays;
  std::copy_n(data, f.arrays, arrays.begin());
  const Mode mode = {
      .uniform = uniform,
      .streaming = direct && streams(std::span(arrays).first(f.arrays), data[f.inputs], n, sizeof(T)),
  };

  split(n, {f.cost}, [&](std::size_t begin, std::size_t end) {
    const simd::FloatEnvironment clean;
    alignas(64) T buffers[most_inputs + 1][block];
    std::array<const void*, most_inputs> from;
    for (std::size_t k = varying; k < f.arrays + f.parameters; ++k) {
      if (k < f.inputs) {
        load(k, 0, buffers[k], 1);
      } else {
        *buffers[k] = static_cast<T>(beside[k - f.arrays]);
      }
      from[k] = buffers[k];
    }
    const std::size_t stride = direct ? end - begin : block;
    for (std::size_t i = begin; i < end; i += stride) {
      const std::size_t count = std::min(stride, end - i);
      for (std::size_t k = 0; k < varying; ++k) {
        if (!as_it_is(k)) load(k, i, buffers[k], count);
        from[k] = as_it_is(k) ? at(k, i) : reinterpret_cast<const char*>(buffers[k]);
      }
      if (as_it_is(f.inputs)) {
        f.kernel(from.data(), at(f.inputs, i), count, mode);
      } else {
        f.kernel(from.data(), buffers[most_inputs], count, mode);
        unpack<S>(buffers[most_inputs], at(f.inputs, i), steps[f.inputs], count);
      }
    }
  });
}

/// NumPy keeps pointers to all of this for as long as the ufunc lives, which is to the end of the process.
struct Storage {
  std::string name;
  Function single, twice, wide;
  std::array<PyUFuncGenericFunction, 5> loops;
  std::array<void*, 5> data;
  std::array<char, 5 * (most_inputs + 1)> types;
};

}  // namespace

py::object make_ufunc(Activation activation, Pass pass, bool uniform) {
  static std::deque<Storage> storage;
  const Description& description = catalogue[static_cast<std::size_t>(activation)];
  const Kernel single = kernel<float>(activation, pass), twice = kernel<double>(activation, pass);
  if (single == nullptr) return {};

  Function f = {};
  f.arrays = arrays_of(pass);
  f.parameters = description.parameter_count;
  std::ranges::transform(description.parameters, f.defaults.begin(), &Parameter::value);
  f.inputs = uniform ? f.arrays : f.arrays + f.parameters;
  f.operands = f.inputs + 1;
  std::fill(f.roles.begin() + f.arrays, f.roles.begin() + f.inputs, Role::parameter);
  f.bfloat16_loop = strided_loop<simd::Bfloat16>;

  Storage& s = storage.emplace_back();
  s.name = description.function(pass);
  f.cost = description.cost<float>();
  s.single = s.twice = s.wide = f;
  s.single.kernel = s.wide.kernel = single;
  s.twice.kernel = twice;
  s.twice.cost = description.cost<double>();
  s.wide.parameter_type = NPY_LONGDOUBLE;
  s.single.wide = &s.wide;
  char* types = s.types.data();
  std::size_t loops = 0;
  const auto add = [&](int type, PyUFuncGenericFunction loop, Function& function) {
    s.loops[loops] = loop;
    s.data[loops++] = static_cast<Signature*>(&function);
    types = function.write(type, types);
  };
  add(NPY_HALF, strided_loop<simd::Half>, s.single);
  add(NPY_FLOAT, strided_loop<float>, s.single);
  add(NPY_DOUBLE, strided_loop<double>, s.twice);
  if (f.inputs > f.arrays) {
    add(NPY_HALF, strided_loop<simd::Half>, s.wide);
    add(NPY_FLOAT, strided_loop<float>, s.wide);
  }
  const auto ufunc = py::reinterpret_steal<py::object>(
      PyUFunc_FromFuncAndData(s.loops.data(), s.data.data(), s.types.data(), static_cast<int>(loops),
                              static_cast<int>(f.inputs), 1, PyUFunc_None, s.name.c_str(), "", 0));
  if (!ufunc) throw py::error_already_set();
  add_promoter(ufunc);
  return ufunc;
}

}  // namespace fastact::numpy
