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
#include "simd/interleaved.hpp"
#include "simd/patterns.hpp"
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

/// out[i] = f(in[i]…). The elements before and after the whole vectors are loaded and stored under a mask and computed
/// by the same f. Vectors of one element need no masks. V loads and stores the vectors of f.
template <class V, class S, class F, class... In>
void short_loop(F f, S* out, std::size_t n, bool streaming, const In*... in) {
  std::size_t i = 0;
  for (std::size_t part = unaligned<V>(out, n, streaming);; part = n - i) {
    if (V::size > 1 && part > 0) {
      V{f(V::load(in + i, part)...)}.store(out + i, part);
      i += part;
    }
    for (; i + V::size <= n; i += V::size) {
      const V y{f(V::load(in + i)...)};
      if constexpr (requires { y.stream(out + i); }) {
        streaming ? y.stream(out + i) : y.store(out + i);
      } else {
        y.store(out + i);
      }
    }
    if (i == n) break;
  }
  if (streaming) V::InstructionSet::end_stream();
}

/// One vector of each input and of the results. Its functions are compiled for all activations together.
template <class V, std::size_t inputs>
struct Buffers {
  using T = typename V::Element;
  alignas(64) T in[inputs][V::size], out[V::size];
  /// The first `count` elements, and zeros.
  [[gnu::noinline]] void load(const T* const* from, std::size_t i, std::size_t count) {
    for (std::size_t k = 0; k < inputs; ++k) V::load(from[k] + i, count).store(in[k]);
  }
  [[gnu::noinline]] void store(T* to, std::size_t count) const { V::load(out).store(to, count); }
};

/// The same with a single copy of f, because the time to compile kernels depends on how much code they have. Partial
/// vectors pass through buffers.
template <class V, class F, std::size_t... k>
void long_loop(F f, const typename V::Element* const* in, typename V::Element* out, std::size_t n, bool streaming,
               std::index_sequence<k...>) {
  Buffers<V, sizeof...(k)> buffers;
  std::size_t part = unaligned<V>(out, n, streaming);
  for (std::size_t i = 0; i < n; part = 0) {
    if (n - i < V::size) part = n - i;
    if (part > 0) buffers.load(in, i, part);
    const std::size_t count = part > 0 ? part : n - i - (n - i) % V::size;
    auto* const to = part > 0 ? buffers.out : out + i;
    [&](auto*... from) {
      for (std::size_t j = 0; j < count; j += V::size) {
        const V y = f(V::load(from + j)...);
        part == 0 && streaming ? y.stream(to + j) : y.store(to + j);
      }
    }((part > 0 ? buffers.in[k] : in[k] + i)...);
    if (part > 0) buffers.store(out + i, part);
    i += count;
  }
  if (streaming) V::InstructionSet::end_stream();
}

/// The passes of an activation, as functions of vectors, and whether these are 0 for subnormal x (Traits::quadratic).
template <class A>
struct ForwardOf {
  static constexpr bool quadratic = A::quadratic;
  auto operator()(auto... v) const { return A::forward(v...); }
};
template <class A>
struct BackwardOf {
  static constexpr bool quadratic = A::quadratic_derivative;
  auto operator()(auto... v) const { return activations::gradient<A>(v...); }
};
template <class A>
struct BackwardFromOutputOf {
  static constexpr bool quadratic = false;
  auto operator()(auto... v) const { return A::backward_from_output(v...); }
};
template <class A>
struct GateOf {
  static constexpr bool quadratic = false;
  auto operator()(auto... v) const { return A::gated(v...); }
};

template <class V, class A, std::size_t parameters, class S = typename V::Element>
struct Passes {
  using T = typename V::Element;
  using Memory = simd::Memory<V, S>;

  /// Whether passes, and backward_from_output, take little longer than copying.
  static constexpr bool copies = A::cost.f32 == activations::copying.f32,
                        output_copies = A::output_cost.f32 == activations::copying.f32;

  /// Whether f takes so long that the few nanoseconds that a partial vector spends in buffers count for little. Those
  /// of floats without parameters take less, and have little code.
  static constexpr bool is_long = !copies && (sizeof(T) == sizeof(double) || parameters > 0),
                        output_is_long = is_long && parameters > 0 && std::is_same_v<S, T>;

  /// The arrays have elements S, and the numbers that follow them T.
  template <bool has_buffers, std::size_t arrays, std::size_t numbers, class F>
  static void loop_over(F f, const void* const* inputs, S* out, std::size_t n, bool streaming) {
    [&]<std::size_t... k, std::size_t... p>(std::index_sequence<k...>, std::index_sequence<p...>) {
      if constexpr (has_buffers && V::size > 1) {
        long_loop<V>(f, reinterpret_cast<const T* const*>(inputs), out, n, streaming,
                     std::make_index_sequence<arrays + numbers>());
      } else {
        short_loop<Memory>(f, out, n, streaming, static_cast<const S*>(inputs[k])...,
                           static_cast<const T*>(inputs[arrays + p])...);
      }
    }(std::make_index_sequence<arrays>(), std::make_index_sequence<numbers>());
  }

  /// The parameter in all lanes, as it would be if it were loaded for each element.
  static V uniform(const T* parameter) {
    const V p = static_cast<double>(*parameter);
    if constexpr (!std::is_same_v<Memory, V>) {
      return Memory::rounding(p);
    } else {
      return p;
    }
  }

  // flatten, because a call of a vector operation costs more than the operation itself.
  template <std::size_t arrays, bool has_buffers, class F>
  [[gnu::flatten]] static void loop(F f, const void* const* inputs, void* output, std::size_t n, Mode mode) {
    S* const out = static_cast<S*>(output);
    if constexpr (parameters == 0) {
      loop_over<has_buffers, arrays, 0>(f, inputs, out, n, mode.streaming);
    } else if (mode.uniform) {
      [&]<std::size_t... k>(std::index_sequence<k...>) {
        const V values[] = {uniform(static_cast<const T*>(inputs[arrays + k]))...};
        const auto with_values = [&](auto... v) { return f(v..., values[k]...); };
        loop_over<has_buffers, arrays, 0>(with_values, inputs, out, n, mode.streaming);
      }(std::make_index_sequence<parameters>());
    } else {
      loop_over<has_buffers, arrays, parameters>(f, inputs, out, n, mode.streaming);
    }
  }

  template <class F, std::size_t arrays, bool has_buffers>
  static void run(const void* const* inputs, void* output, std::size_t n, Mode mode) {
    loop<arrays, has_buffers>(F{}, inputs, output, n, mode);
  }
  /// Both gradients of a gate.
  [[gnu::flatten]] static void gate_gradients(const void* const* inputs, void* const* outputs, std::size_t n) {
    for (std::size_t i = 0; i < n; i += V::size) {
      const std::size_t part = std::min(V::size, n - i);
      const auto load = [&](std::size_t k) {
        const T* const from = static_cast<const T*>(inputs[k]) + i;
        return part == V::size ? V::load(from) : V::load(from, part);
      };
      const auto gradients = A::gate_gradients(load(0), load(1), load(2));
      const auto store = [&](V y, std::size_t k) {
        T* const to = static_cast<T*>(outputs[k]) + i;
        part == V::size ? y.store(to) : y.store(to, part);
      };
      store(gradients.a, 0);
      store(gradients.b, 1);
    }
  }
  /// The kernel of F that computes from lifted inputs. A function that takes little time lifts them in registers; for
  /// others, and without vectors, the kernel for floats gets them from a buffer, which is compiled once for all.
  template <class F, std::size_t arrays, bool has_buffers, class Floats, bool is_cheap>
  static void lifting(const void* const* inputs, void* output, std::size_t n, Mode mode) {
    if constexpr (is_cheap && V::size > 1) {
      const auto lifted = [](auto... v) {
        if constexpr (arrays == 2) {
          return math::gradient_from_lifted<F::quadratic>(F{}, v...);
        } else {
          return math::value_from_lifted<F::quadratic>(F{}, v...);
        }
      };
      loop<arrays, std::is_same_v<S, T>>(lifted, inputs, output, n, mode);
    } else {
      using Usual = typename V::template OfRegisters<V::InstructionSet::registers>;
      constexpr Guarded guarded = {arrays, parameters, F::quadratic};
      constexpr Kernel kernel = Floats::template run<F, arrays, has_buffers>;
      if constexpr (std::is_same_v<S, T>) {
        call_lifted<Usual>(kernel, mode, guarded, inputs, output, n);
      } else {
        call_widened<Usual, S>(kernel, mode, guarded, inputs, output, n);
      }
    }
  }
  /// The kernel of F, behind a guard unless it merely selects or converts from float16, whose numbers are normal
  /// floats.
  template <class F, std::size_t arrays, class Floats, bool is_cheap = copies, bool has_buffers = is_long,
            bool selects = A::selects>
  static constexpr Kernel guarded() {
    constexpr Kernel kernel = run<F, arrays, has_buffers>;
    if constexpr (selects || std::is_same_v<S, simd::Half>) {
      return kernel;
    } else {
      return [](const void* const* inputs, void* output, std::size_t n, Mode mode) {
        SubnormalGuard<V, S, arrays, parameters>(kernel, lifting<F, arrays, has_buffers, Floats, is_cheap>, mode)(
            inputs, output, n);
      };
    }
  }
  /// The kernels of all passes, or of those that take little longer than copying. Floats are the passes of floats.
  template <bool all = true, class Floats = Passes>
  static constexpr Kernels kernels() {
    Kernels kernels = {};
    if constexpr (all || copies) {
      kernels[0] = guarded<ForwardOf<A>, A::arrays, Floats>();
      if constexpr (!activations::Learnable<A>) kernels[1] = guarded<BackwardOf<A>, A::arrays + 1, Floats>();
      if constexpr (activations::Gated<A> && requires(V v) { fma(v, v, v); })
        kernels[3] = guarded<GateOf<A>, 2, Floats, copies, is_long, false>();
    }
    if constexpr (activations::DifferentiableFromOutput<A> && (all || output_copies))
      kernels[2] = guarded<BackwardFromOutputOf<A>, 2, Floats, output_copies, output_is_long>();
    return kernels;
  }
};

/// How many registers a kernel computes at a time. More than usual hide the latency of long chains of operations in
/// functions that do not merely wait for memory. Formulas for floats keep tables in registers, of which AVX2 has only
/// half as many as AVX-512 and NEON.
template <class Isa, class T, class A>
constexpr std::size_t registers_of() {
  constexpr bool is_long = A::interleaves && A::cost.f32 > activations::copying.f32;
  if (!is_long || Isa::registers == 1) return Isa::registers;
  return std::is_same_v<T, float> && Isa::template size<T> == 8 ? 3 : 4;
}
template <class Isa, class T, class A>
using ElementVec = simd::Vec<Isa, T, registers_of<Isa, T, A>()>;

/// The kernels for arrays of half precision S. A function that selects needs no conversion to float, unless it has
/// parameters.
template <class Isa, class S, class A, std::size_t parameters>
constexpr Kernels half_kernels() {
  if constexpr (A::selects && parameters == 0) {
    return Passes<simd::Patterns<Isa, S>, A, 0>::kernels();
  } else if constexpr (Isa::template size<float> > 1) {
    using V = simd::Vec<Isa, float, std::is_same_v<S, simd::Half> ? 1 : 2>;
    return Passes<V, A, parameters, S>::template kernels<false, Passes<ElementVec<Isa, float, A>, A, parameters>>();
  } else {
    return {};
  }
}

template <class V, class A>
constexpr GateKernel gate_kernel() {
  if constexpr (activations::SharesGateGradients<A> && requires(V v) { fma(v, v, v); }) {
    return Passes<V, A, 0>::gate_gradients;
  } else {
    return nullptr;
  }
}

template <class Isa, class A, std::size_t parameters>
constexpr ElementEntry element_entry() {
  return {.f32 = Passes<ElementVec<Isa, float, A>, A, parameters>::kernels(),
          .f64 = Passes<ElementVec<Isa, double, A>, A, parameters>::kernels(),
          .f16 = half_kernels<Isa, simd::Half, A, parameters>(),
          .bf16 = half_kernels<Isa, simd::Bfloat16, A, parameters>(),
          .gate_gradients = gate_kernel<ElementVec<Isa, float, A>, A>()};
}

/// All kernels of activations, for one instruction set.
template <class Isa>
constexpr ElementTable element_kernels() {
  return {{
#define FASTACT_ONE(...) +1
#define FASTACT_ENTRY(name, ...) \
  element_entry<Isa, activations::name, 0 FASTACT_EACH_PARAMETER(FASTACT_ONE, __VA_ARGS__)>(),
      FASTACT_ACTIVATIONS(FASTACT_ENTRY) FASTACT_LEARNABLE(FASTACT_ENTRY) FASTACT_LOSSES(FASTACT_ENTRY)
#undef FASTACT_ENTRY
#undef FASTACT_ONE
  }};
}

}  // namespace
}  // namespace fastact::kernels
