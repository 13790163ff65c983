// Keeps subnormal inputs, with which processors are slow, out of elementwise kernels.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <limits>
#include <type_traits>

#include "kernels/interface.hpp"
#include "kernels/staging/lines.hpp"
#include "math/pair.hpp"
#include "simd/environment.hpp"

namespace fastact::kernels {
namespace {

/// The number of elements after which the processor's flag for subnormal numbers is read, which is larger if the output
/// is streamed; and the number of elements that are lifted at a time.
constexpr std::size_t check_interval = 4096, streaming_check_interval = 65536, lifted_at_once = 512;

template <class V, class S>
bool any_subnormal(const S* p, std::size_t n) {
  const V zero = 0.0, infinity = std::numeric_limits<double>::infinity();
  const V least_normal = math::Subnormal<typename V::Element>::least_normal;
  for (std::size_t begin = 0; begin < n; begin += lifted_at_once) {
    const std::size_t end = std::min(n, begin + lifted_at_once);
    V least = infinity;
    const auto meet = [&](V x) { least = min(select(x == zero, infinity, abs(x)), least); };
    std::size_t i = begin;
    for (; i + V::size <= end; i += V::size) meet(V::load(p + i));
    if (i < end) meet(V::load(p + i, end - i));
    if (!all(least >= least_normal)) return true;
  }
  return false;
}

/// `least`, the number below which |x| is lifted, or 0 where a parameter is very large or very small.
template <class V>
V unless_extreme(V parameter, V least) {
  const V zero = 0.0, size = abs(parameter);
  const V ordinary = select(size >= V(0x1p-20), select(size <= V(0x1p20), least, zero), zero);
  return select(size == zero, least, ordinary);
}

/// A number that takes the place of an input. Where `down` is not 0 it is lifted, and math::unlifted divides a
/// proportional result with `down`.
template <class V>
struct LiftedInput {
  V number, down;
};
/// x, which is replaced where |x| < least: by a number below `power` or, with `to_zero`, by 0.
template <class V>
LiftedInput<V> lifted_below(V least, V x, double power, bool to_zero = false) {
  const auto is_less = abs(x) < least;
  return {select(is_less, to_zero ? copysign(V(0.0), x) : math::lifted_subnormal(x, V(power)), x),
          select(is_less, V(power / 2), V(0.0))};
}
/// x, where g is lifted already. Where the pass is `quadratic` (Traits::quadratic), 0 takes the place of a subnormal
/// number unless g is huge.
template <class V>
LiftedInput<V> lifted_argument(V x, LiftedInput<V> g, V least, bool quadratic) {
  const V lifts = quadratic ? select(abs(g.number) < V(0x1p100), least, V(0.0)) : least;
  return lifted_below(lifts, x, math::Subnormal<typename V::Element>::small, quadratic);
}
template <class V>
LiftedInput<V> lifted_gradient(V g) {
  return lifted_below(V(math::Subnormal<typename V::Element>::least_normal), g, 1.0);
}
/// What takes the place of a gradient in passes that have none.
template <class V>
LiftedInput<V> no_gradient() {
  return {1.0, 0.0};
}

/// The result of the numbers themselves, where y is that of the lifted ones.
template <class V>
V lowered(V y, V down_of_x, LiftedInput<V> g) {
  const V proportional = select(abs(y) * 0x1p30 < abs(g.number), down_of_x, V(0.0));
  return math::always_unlifted(y, g.down.plus_bits(proportional));
}

/// The number below which |x| is lifted with these parameters.
template <class V, class... P>
V least_unlifted(P... parameters) {
  V least = math::Subnormal<typename V::Element>::least_normal;
  ((least = unless_extreme(parameters, least)), ...);
  return least;
}
/// f(x, p…) from lifted x; see SubnormalGuard.
template <bool quadratic, class F, class V, class... P>
V value_from_lifted(F f, V x, P... p) {
  const LiftedInput<V> lifted = lifted_argument(x, no_gradient<V>(), least_unlifted<V>(p...), quadratic);
  return lowered(f(lifted.number, p...), lifted.down, no_gradient<V>());
}
/// The gradient f(x, g, p…) from lifted x and g.
template <bool quadratic, class F, class V, class... P>
V gradient_from_lifted(F f, V x, V g, P... p) {
  const LiftedInput<V> once = lifted_gradient(g), lifted = lifted_argument(x, once, least_unlifted<V>(p...), quadratic);
  const V y = f(lifted.number, once.number, p...), result = lowered(y, lifted.down, once);
  return all(math::is_finite(y)) ? result : select(math::is_finite(y), result, f(x, g, p...));
}

/// The inputs of a guarded kernel, arrays before parameters, and whether its pass is `quadratic`.
struct Guarded {
  std::size_t arrays, parameters;
  bool quadratic;
};

/// The same for n elements and the kernel of any activation. One copy serves all activations, which shortens their
/// compilation.
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
        normal = unless_extreme(load(part[guarded.arrays + k]), normal);
      return normal;
    };
    const V of_all = least([](const T* p) { return V(static_cast<double>(*p)); });
    const auto keep = [&](std::size_t k, std::size_t i, LiftedInput<V> lifted) {
      lifted.number.store(numbers[k] + i), lifted.down.store(downs[k] + i);
    };
    const auto kept = [&](std::size_t k, std::size_t i) {
      return LiftedInput<V>{V::load(numbers[k] + i), V::load(downs[k] + i)};
    };
    each_vector([&](std::size_t i, auto load, std::size_t) {
      const LiftedInput<V> g = has_gradient ? lifted_gradient(load(part[1])) : no_gradient<V>();
      if (has_gradient) keep(1, i, g);
      keep(0, i, lifted_argument(load(part[0]), g, mode.uniform ? of_all : least(load), guarded.quadratic));
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
      V result = lowered(y, V::load(downs[0] + i), has_gradient ? kept(1, i) : no_gradient<V>());
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
