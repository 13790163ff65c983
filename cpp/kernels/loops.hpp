#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "activations/list.hpp"
#include "kernels/sparing.hpp"
#include "math/pair.hpp"
#include "runtime/dispatch.hpp"
#include "simd/simd.hpp"

namespace fastact::kernels {

/// How many of n elements to compute before the first whole vector, so that stores do not straddle cache lines; none
/// of a few, to which one more vector would be a burden.
template <class V, class T>
std::size_t unaligned(const T* out, std::size_t n, bool streaming) {
  constexpr std::size_t few = 64 * V::size;
  if (n < few && !streaming) return 0;
  return std::min<std::size_t>(n, -(reinterpret_cast<std::uintptr_t>(out) / sizeof(T)) % V::lanes);
}

/// output[i] = f(arrays[i]…, parameters…): whole vectors, and what is before and after them through the same f under a
/// mask.
template <class V, class F, std::size_t... array, std::size_t... parameter>
void elementwise(F f, const void* const* inputs, void* output, std::size_t n, Mode mode, std::index_sequence<array...>,
                 std::index_sequence<parameter...>) {
  using T = typename V::Element;
  const auto* const* in = reinterpret_cast<const T* const*>(inputs);
  T* const out = static_cast<T*>(output);
  const auto run = [&]([[maybe_unused]] auto load_parameter) {
    std::size_t i = 0;
    for (std::size_t part = unaligned<V>(out, n, mode.streaming);; part = n - i) {
      if (part > 0) {
        f(V::load(in[array] + i, part)..., load_parameter(std::integral_constant<std::size_t, parameter>{}, i, part)...)
            .store(out + i, part);
        i += part;
      }
      for (; i + V::size <= n; i += V::size) {
        const V y = f(V::load(in[array] + i)...,
                      load_parameter(std::integral_constant<std::size_t, parameter>{}, i, V::size)...);
        mode.streaming ? y.stream(out + i) : y.store(out + i);
      }
      if (i == n) break;
    }
    if (mode.streaming) V::InstructionSet::end_stream();
  };
  if constexpr (sizeof...(parameter) == 0) {
    run([] {});
  } else if (mode.uniform) {
    const V values[] = {V(static_cast<double>(*in[sizeof...(array) + parameter]))...};
    run([&values](auto k, std::size_t, std::size_t) { return values[k]; });
  } else {
    run([in](auto k, std::size_t i, std::size_t count) {
      const T* const p = in[sizeof...(array) + k] + i;
      return count == V::size ? V::load(p) : V::load(p, count);
    });
  }
}

template <class V, class A, std::size_t parameters>
struct Passes {
  // Flat, for a call of a vector operation that is not inlined costs more than the operation.
  template <std::size_t arrays, class F>
  [[gnu::flatten]] static void loop(F f, const void* const* inputs, void* output, std::size_t n, Mode mode) {
    elementwise<V>(f, inputs, output, n, mode, std::make_index_sequence<arrays>{},
                   std::make_index_sequence<parameters>{});
  }

  static void forward(const void* const* inputs, void* output, std::size_t n, Mode mode) {
    loop<1>([](auto... v) { return A::forward(v...); }, inputs, output, n, mode);
  }
  static void backward(const void* const* inputs, void* output, std::size_t n, Mode mode) {
    loop<2>([](auto... v) { return activations::gradient<A>(v...); }, inputs, output, n, mode);
  }
  static void backward_from_output(const void* const* inputs, void* output, std::size_t n, Mode mode) {
    loop<2>([](auto... v) { return A::backward_from_output(v...); }, inputs, output, n, mode);
  }
  /// The kernel, where A multiplies one that spares it subnormal numbers.
  template <Kernel kernel, std::size_t arrays>
  static constexpr Kernel spared() {
    if constexpr (requires { A::chooses; }) return kernel;
    return [](const void* const* inputs, void* output, std::size_t n, Mode mode) {
      Sparing<V, arrays, parameters, requires { A::quadratic; }>(kernel, mode)(inputs, output, n);
    };
  }
  static constexpr Kernels all() {
    Kernels kernels = {spared<forward, 1>(), nullptr, nullptr};
    if constexpr (!is_learnable<A>) kernels[1] = spared<backward, 2>();
    if constexpr (requires { A::template backward_from_output<V>; }) kernels[2] = spared<backward_from_output, 2>();
    return kernels;
  }
};

/// to[i] = from[i] in another type.
template <class V, class From, class To>
[[gnu::flatten]] void convert(const From* from, To* to, std::size_t n) {
  std::size_t i = 0;
  for (; i + V::size <= n; i += V::size) V::load(from + i).store(to + i);
  if (i < n) V::load(from + i, n - i).store(to + i, n - i);
}

template <class V, class S>
constexpr Conversion<S> conversion = {convert<V, S, float>, convert<V, float, S>};

/// All kernels of activations, for one instruction set.
template <class Isa>
constexpr Table elementwise_kernels() {
  return {{
#define FASTACT_ONE(...) +1
#define FASTACT_ENTRY(name, ...)                                                                                     \
  {Passes<simd::Elements<Isa, float>, activations::name, 0 FASTACT_EACH_PARAMETER(FASTACT_ONE, __VA_ARGS__)>::all(), \
   Passes<simd::Elements<Isa, double>, activations::name, 0 FASTACT_EACH_PARAMETER(FASTACT_ONE, __VA_ARGS__)>::all()},
      FASTACT_ACTIVATIONS(FASTACT_ENTRY) FASTACT_LEARNABLE(FASTACT_ENTRY)
#undef FASTACT_ENTRY
#undef FASTACT_ONE
  }};
}

}  // namespace fastact::kernels
