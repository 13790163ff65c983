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

/// The inputs of a guarded kernel, arrays before parameters, and whether its activation is `quadratic`
/// (functions/activations/activation.hpp).
struct Guarded {
  std::size_t arrays, parameters;
  bool quadratic;
};

/// x, lifted unless a parameter is very large or very small.
template <class V, class Load>
V lifted_argument(V x, V g, Guarded guarded, bool uniform, const typename V::Element* const* parameters, Load load) {
  using S = math::Subnormal<typename V::Element>;
  const V zero = 0.0;
  if (guarded.quadratic)
    return select(abs(x) < V(S::least_normal), select(abs(g) < V(0x1p100), copysign(zero, x), x), x);
  V lifted = math::lifted(x, V(S::small));
  for (std::size_t k = 0; k < guarded.parameters; ++k) {
    const V size = abs(uniform ? V(static_cast<double>(*parameters[k])) : load(parameters[k]));
    const V ordinary = select(size >= V(0x1p-20), select(size <= V(0x1p20), lifted, x), x);
    lifted = select(size == zero, lifted, ordinary);
  }
  return lifted;
}

/// Computes n elements from lifted inputs; see SubnormalGuard. One copy serves all activations, which shortens their
/// compilation.
template <class V>
[[gnu::noinline]] void call_lifted(Kernel kernel, Mode mode, Guarded guarded, const void* const* inputs, void* output,
                                   std::size_t n) {
  using T = typename V::Element;
  using S = math::Subnormal<T>;
  const bool has_gradient = guarded.arrays > 1;
  alignas(64) T lifted[2][lifted_at_once], results[lifted_at_once], as_they_are[lifted_at_once];
  mode.streaming = false;
  for (std::size_t begin = 0; begin < n; begin += lifted_at_once) {
    const std::size_t count = std::min(lifted_at_once, n - begin);
    const T* part[most_inputs];
    const void *of_part[most_inputs], *of_lifted[most_inputs];
    for (std::size_t k = 0; k < guarded.arrays + guarded.parameters; ++k) {
      part[k] = static_cast<const T*>(inputs[k]) + (k < guarded.arrays || !mode.uniform ? begin : 0);
      of_part[k] = part[k];
      of_lifted[k] = k < guarded.arrays ? lifted[k] : part[k];
    }
    const auto each_vector = [count](auto f) {
      for (std::size_t i = 0; i < count; i += V::size) {
        const std::size_t some = std::min(V::size, count - i);
        f(i, some, [i, some](const T* p) { return some == V::size ? V::load(p + i) : V::load(p + i, some); });
      }
    };
    each_vector([&](std::size_t i, std::size_t, auto load) {
      V g = 1.0;
      if (has_gradient) {
        g = math::lifted(load(part[1]), V(1.0));
        g.store(lifted[1] + i);
      }
      lifted_argument(load(part[0]), g, guarded, mode.uniform, part + guarded.arrays, load).store(lifted[0] + i);
    });
    kernel(of_lifted, results, count, mode);
    bool any_overflow = false;
    if (has_gradient) {
      each_vector(
          [&](std::size_t i, std::size_t, auto) { any_overflow |= !all(math::is_finite(V::load(results + i))); });
      if (any_overflow) kernel(of_part, as_they_are, count, mode);
    }
    each_vector([&](std::size_t i, std::size_t some, auto load) {
      const V one = 1.0, y = V::load(results + i);
      const auto is_as = [&](std::size_t k) { return V::load(lifted[k] + i) == load(part[k]); };
      V g = one, half_scale = one;
      if (has_gradient) {
        g = abs(V::load(lifted[1] + i));
        half_scale = select(is_as(1), one, V(S::half_scale_of_one));
      }
      half_scale = half_scale * select(is_as(0), one, select(abs(y) * 0x1p30 < g, V(S::half_scale_of_small), one));
      V scaled = math::scale(y, half_scale);
      if (any_overflow) scaled = select(math::is_finite(y), scaled, load(as_they_are));
      T* const to = static_cast<T*>(output) + begin + i;
      some == V::size ? scaled.store(to) : scaled.store(to, some);
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
/// the rounding error; a `quadratic` kernel is 0 there unless g is huge. Elements with a very large or very small
/// parameter are not lifted. The result of an element does not depend on its neighbours. The elements are S; where that
/// is bfloat16, lifted numbers go to the kernel for floats.
template <class V, class S, std::size_t arrays, std::size_t parameters, bool quadratic>
class SubnormalGuard {
  static_assert(arrays <= 2);  // x and g
  using T = typename V::Element;
  using Inputs = std::array<const void*, arrays + parameters>;

  const Kernel kernel_, of_floats_;
  const Mode mode_;

 public:
  SubnormalGuard(Kernel kernel, Kernel of_floats, Mode mode) : kernel_(kernel), of_floats_(of_floats), mode_(mode) {}

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
      expected = expected || any(part, std::min(count, V::size));
      bool found = expected && any(part, count);
      if (!found) {
        kernel_(part.data(), out + begin, count, mode_);
        // The first vector has been looked at already.
        found = !expected && count > V::size && simd::FloatEnvironment::met_subnormal() && any(part, count);
      }
      if (found) {
        using Usual = typename V::template OfRegisters<V::InstructionSet::registers>;
        constexpr Guarded guarded = {arrays, parameters, quadratic};
        if constexpr (std::is_same_v<S, T>) {
          call_lifted<Usual>(of_floats_, mode_, guarded, part.data(), out + begin, count);
        } else {
          call_widened<Usual, S>(of_floats_, mode_, guarded, part.data(), out + begin, count);
        }
      }
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
