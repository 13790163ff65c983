// Elementwise kernels: one loop for every activation, pass and instruction set.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "functions/activations/list.hpp"
#include "kernels/elements/subnormal_guard.hpp"
#include "kernels/interface.hpp"
#include "math/pair.hpp"
#include "simd/simd.hpp"

namespace fastact::kernels {
namespace {

/// The number of elements to compute before the first whole vector, so that stores do not cross cache lines. It is 0 if
/// n is small, because an additional partial vector would cost more than it saves.
template <class V, class T>
std::size_t unaligned(const T* out, std::size_t n, bool streaming) {
  constexpr std::size_t few = 64 * V::size;
  if (n < few && !streaming) return 0;
  return std::min<std::size_t>(n, -(reinterpret_cast<std::uintptr_t>(out) / sizeof(T)) % V::lanes);
}

/// output[i] = f(arrays[i]…, parameters[i]…). The elements before and after the whole vectors are loaded and stored
/// under a mask and computed by the same f. Vectors of one element need no masks.
template <class V, class F, std::size_t... array, std::size_t... parameter>
void elementwise(F f, const void* const* inputs, void* output, std::size_t n, Mode mode, std::index_sequence<array...>,
                 std::index_sequence<parameter...>) {
  using T = typename V::Element;
  const auto* const* in = reinterpret_cast<const T* const*>(inputs);
  T* const out = static_cast<T*>(output);
  const auto run = [&]([[maybe_unused]] auto load_parameter) {
    std::size_t i = 0;
    for (std::size_t part = unaligned<V>(out, n, mode.streaming);; part = n - i) {
      if (V::size > 1 && part > 0) {
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
  // flatten, because a call of a vector operation costs more than the operation itself.
  template <std::size_t arrays, class F>
  [[gnu::flatten]] static void loop(F f, const void* const* inputs, void* output, std::size_t n, Mode mode) {
    elementwise<V>(f, inputs, output, n, mode, std::make_index_sequence<arrays>{},
                   std::make_index_sequence<parameters>{});
  }

  static void forward(const void* const* inputs, void* output, std::size_t n, Mode mode) {
    loop<A::arrays>([](auto... v) { return A::forward(v...); }, inputs, output, n, mode);
  }
  static void backward(const void* const* inputs, void* output, std::size_t n, Mode mode) {
    loop<A::arrays + 1>([](auto... v) { return activations::gradient<A>(v...); }, inputs, output, n, mode);
  }
  static void backward_from_output(const void* const* inputs, void* output, std::size_t n, Mode mode) {
    loop<2>([](auto... v) { return A::backward_from_output(v...); }, inputs, output, n, mode);
  }
  static void gate(const void* const* inputs, void* output, std::size_t n, Mode mode) {
    loop<2>([](auto a, auto b) { return A::gated(a, b); }, inputs, output, n, mode);
  }
  /// The kernel, behind a guard unless it merely selects.
  template <Kernel kernel, std::size_t arrays, bool selects = A::selects>
  static constexpr Kernel guarded() {
    if constexpr (selects) {
      return kernel;
    } else {
      return [](const void* const* inputs, void* output, std::size_t n, Mode mode) {
        SubnormalGuard<V, arrays, parameters, A::quadratic>(kernel, mode)(inputs, output, n);
      };
    }
  }
  static constexpr Kernels all() {
    Kernels kernels = {guarded<forward, A::arrays>()};
    if constexpr (!activations::Learnable<A>) kernels[1] = guarded<backward, A::arrays + 1>();
    if constexpr (activations::DifferentiableFromOutput<A>) kernels[2] = guarded<backward_from_output, 2>();
    if constexpr (activations::Gated<A>) kernels[3] = guarded<gate, 2, false>();
    return kernels;
  }
};

/// How many registers a kernel computes at a time. More than usual hide the latency of long chains of operations in
/// functions that do not merely wait for memory. Formulas for floats keep tables in registers, of which only AVX-512
/// has enough.
template <class Isa, class T, class A>
constexpr std::size_t registers_of() {
  constexpr bool is_long = A::interleaves && A::cost.f32 > activations::copying.f32;
  constexpr bool has_room = Isa::registers > 1 && (sizeof(T) == sizeof(double) || Isa::template size<T> == 16);
  return is_long && has_room ? 4 : Isa::registers;
}
template <class Isa, class T, class A>
using ElementVec = simd::Vec<Isa, T, registers_of<Isa, T, A>()>;

/// All kernels of activations, for one instruction set.
template <class Isa>
constexpr ElementTable element_kernels() {
  return {{
#define FASTACT_ONE(...) +1
#define FASTACT_ENTRY(name, ...)                                         \
  {Passes<ElementVec<Isa, float, activations::name>, activations::name,  \
          0 FASTACT_EACH_PARAMETER(FASTACT_ONE, __VA_ARGS__)>::all(),    \
   Passes<ElementVec<Isa, double, activations::name>, activations::name, \
          0 FASTACT_EACH_PARAMETER(FASTACT_ONE, __VA_ARGS__)>::all()},
      FASTACT_ACTIVATIONS(FASTACT_ENTRY) FASTACT_LEARNABLE(FASTACT_ENTRY) FASTACT_LOSSES(FASTACT_ENTRY)
#undef FASTACT_ENTRY
#undef FASTACT_ONE
  }};
}

}  // namespace
}  // namespace fastact::kernels
