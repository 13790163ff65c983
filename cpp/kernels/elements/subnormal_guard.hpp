// Keeps subnormal inputs, with which processors are slow, out of elementwise kernels.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <limits>
#include <type_traits>

#include "kernels/find_subnormal.hpp"
#include "kernels/interface.hpp"
#include "kernels/staging/lines.hpp"
#include "math/lifted_input.hpp"
#include "simd/environment.hpp"

namespace fastact::kernels {
namespace {

/// The number of elements after which the processor's flag for subnormal numbers is read, which is larger if the output
/// is streamed; and the number of elements that are lifted at a time.
constexpr std::size_t check_interval = 4096, streaming_check_interval = 65536, lifted_at_once = 512;

/// The inputs of a guarded kernel, arrays before parameters, and whether its pass is `quadratic`.
struct Guarded {
  std::size_t arrays, parameters;
  bool quadratic;
};

/// Calls the kernel of any activation with lifted inputs for n elements. One copy serves all activations, which
/// shortens their compilation.
template <class V>
[[gnu::noinline, gnu::flatten]] void call_lifted(Kernel kernel, Mode mode, Guarded guarded, const void* const* inputs,
                                                 void* output, std::size_t n) {
  using T = typename V::Element;
  const bool has_gradient = guarded.arrays > 1;
  alignas(64) T numbers[2][lifted_at_once], downs[2][lifted_at_once], results[lifted_at_once],
      as_they_are[lifted_at_once];
  mode.streaming = false;
  for (std::size_t begin = 0; begin < n; begin += lifted_at_once) {
    const std::size_t count = std::min(lifted_at_once, n - begin);
    const T* part[most_inputs] = {};
    const void *of_part[most_inputs], *of_lifted[most_inputs];
    for (std::size_t k = 0; k < guarded.arrays + guarded.parameters; ++k) {
      part[k] = static_cast<const T*>(inputs[k]) + (k < guarded.arrays || !mode.uniform ? begin : 0);
      of_part[k] = part[k];
      of_lifted[k] = k < guarded.arrays ? numbers[k] : part[k];
    }
    const auto each_vector = [count](auto f) {
      std::size_t i = 0;
      for (; i + V::size <= count; i += V::size) f(i, [i](const T* p) { return V::load(p + i); }, V::size);
      if (i < count) f(i, [i, count](const T* p) { return V::load(p + i, count - i); }, count - i);
    };
    const auto least = [&](auto load) {
      V normal = math::Subnormal<T>::least_normal;
      for (std::size_t k = 0; k < guarded.parameters; ++k)
        normal = math::unless_extreme(load(part[guarded.arrays + k]), normal);
      return normal;
    };
    const V of_all = least([](const T* p) { return V(static_cast<double>(*p)); });
    const auto keep = [&](std::size_t k, std::size_t i, math::LiftedInput<V> lifted) {
      lifted.number.store(numbers[k] + i), lifted.down.store(downs[k] + i);
    };
    const auto kept = [&](std::size_t k, std::size_t i) {
      return math::LiftedInput<V>{V::load(numbers[k] + i), V::load(downs[k] + i)};
    };
    each_vector([&](std::size_t i, auto load, std::size_t) {
      const math::LiftedInput<V> g = has_gradient ? math::lifted_gradient(load(part[1])) : math::no_gradient<V>();
      if (has_gradient) keep(1, i, g);
      keep(0, i, math::lifted_argument(load(part[0]), g, mode.uniform ? of_all : least(load), guarded.quadratic));
    });
    kernel(of_lifted, results, count, mode);
    bool any_overflow = false;
    if (has_gradient) {
      each_vector(
          [&](std::size_t i, auto, std::size_t) { any_overflow |= !all(math::is_finite(V::load(results + i))); });
      if (any_overflow) kernel(of_part, as_they_are, count, mode);
    }
    each_vector([&](std::size_t i, auto load, std::size_t some) {
      const V y = V::load(results + i);
      V result = math::lowered(y, V::load(downs[0] + i), has_gradient ? kept(1, i) : math::no_gradient<V>());
      if (any_overflow) result = select(math::is_finite(y), result, load(as_they_are));
      T* const to = static_cast<T*>(output) + begin + i;
      some == V::size ? result.store(to) : result.store(to, some);
    });
  }
}

/// The same for arrays of half precision S.
template <class V, class S>
[[gnu::noinline]] void call_widened(Kernel kernel, Mode mode, Guarded guarded, const void* const* inputs, void* output,
                                    std::size_t n) {
  alignas(64) float wide[2][lifted_at_once], results[lifted_at_once];
  for (std::size_t begin = 0; begin < n; begin += lifted_at_once) {
    const std::size_t count = std::min(lifted_at_once, n - begin);
    const void* part[most_inputs];
    for (std::size_t k = 0; k < guarded.arrays + guarded.parameters; ++k) {
      const bool is_array = k < guarded.arrays;
      if (is_array) convert_line<V>(static_cast<const S*>(inputs[k]) + begin, wide[k], count);
      part[k] = is_array ? wide[k] : static_cast<const float*>(inputs[k]) + (mode.uniform ? 0 : begin);
    }
    call_lifted<V>(kernel, mode, guarded, part, results, count);
    convert_line<V>(results, static_cast<S*>(output) + begin, count);
  }
}

/// Calls an elementwise kernel so that it does not multiply subnormal numbers, which takes a hundred cycles or more. It
/// computes a block, and computes it again if the processor's flag shows that it met a subnormal number. Subnormal
/// elements of x (or y) and g are then lifted, that is, multiplied by a power of two, and the results are scaled back.
///
/// This is possible because every kernel is linear in g and, near x = 0, either proportional to x or constant to within
/// the rounding error; a `quadratic` one is 0 there unless g is huge. Elements with a very large or very small
/// parameter are not lifted. The result of an element does not depend on its neighbours. The elements are S.
template <class V, class S, std::size_t arrays, std::size_t parameters>
class SubnormalGuard {
  static_assert(arrays <= 2);  // x and g
  using T = typename V::Element;
  using Inputs = std::array<const void*, arrays + parameters>;

  const Kernel kernel_, lifting_;
  const Mode mode_;

 public:
  /// `lifting` computes the same as the kernel from lifted inputs.
  SubnormalGuard(Kernel kernel, Kernel lifting, Mode mode) : kernel_(kernel), lifting_(lifting), mode_(mode) {}

  [[gnu::noinline]] void operator()(const void* const* inputs, void* output, std::size_t n) const {
    Inputs in;
    std::copy_n(inputs, in.size(), in.begin());
    S* const out = static_cast<S*>(output);
    const std::less<const void*> before;
    const bool overwrites = std::any_of(in.begin(), in.begin() + arrays, [&](const void* p) {
      return before(p, out + n) && before(out, static_cast<const S*>(p) + n);
    });
    const std::size_t most = mode_.streaming ? streaming_check_interval : check_interval;
    bool expected = overwrites;  // a block whose input is overwritten cannot be computed again
    for (std::size_t begin = 0; begin < n; begin += most) {
      const Inputs part = from(in, begin);
      const std::size_t count = std::min(most, n - begin);
      const bool begins = any(part, std::min(count, expected ? lifted_at_once : V::size));
      bool found = begins || (expected && any(part, count));
      if (!found) {
        kernel_(part.data(), out + begin, count, mode_);
        // The first vector has been looked at already.
        found = !expected && count > V::size && simd::FloatEnvironment::met_subnormal() && any(part, count);
      }
      if (found) lifting_(part.data(), out + begin, count, mode_);
      expected = overwrites || found;
    }
  }

 private:
  Inputs from(Inputs inputs, std::size_t i) const {
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (k < arrays) {
        inputs[k] = static_cast<const S*>(inputs[k]) + i;
      } else if (!mode_.uniform) {
        inputs[k] = static_cast<const T*>(inputs[k]) + i;
      }
    }
    return inputs;
  }
  static bool any(const Inputs& inputs, std::size_t n) {
    return std::any_of(inputs.begin(), inputs.begin() + arrays,
                       [n](const void* p) { return any_subnormal<V>(static_cast<const S*>(p), n); });
  }
};

}  // namespace
}  // namespace fastact::kernels
