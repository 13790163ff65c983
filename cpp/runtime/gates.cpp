// Computes the gradients of gates block by block, by one kernel or by three.
#include "runtime/gates.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/catalogue.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/packing.hpp"
#include "runtime/threads.hpp"
#include "simd/environment.hpp"

namespace fastact::runtime {
namespace {

using kernels::Activation;
using kernels::Pass;

template <class T>
bool any_subnormal(const void* numbers, std::size_t n) {
  const T* const x = static_cast<const T*>(numbers);
  bool found = false;
  for (std::size_t i = 0; i < n; ++i) found |= (std::abs(x[i]) < std::numeric_limits<T>::min()) & (x[i] != 0);
  return found;
}

/// The gradient for a, g b f'(a), is that of the activation with g b in place of g. The gradient for b, g f(a), is the
/// gate of a and g. A kernel that computes both at once does not guard against subnormal numbers, with which it is
/// slow; it computes the blocks in which no a, g or g b is subnormal.
template <class T>
void run_as(const GateGradientCall& call, std::size_t n) {
  const kernels::Kernel multiply = kernel<T>(Activation::identity, Pass::gate),
                        differentiate = kernel<T>(call.activation, Pass::backward),
                        gate = kernel<T>(call.activation, Pass::gate);
  const kernels::GateKernel both = gate_kernel<T>(call.activation);
  const auto is_direct = [&](std::ptrdiff_t stride) { return call.format == format<T> && stride == sizeof(T); };
  split(n, {2 * describe(call.activation).cost<T>()}, [&](std::size_t begin, std::size_t end) {
    alignas(64) T packed[3][block], product[block], computed[2][block];
    bool is_subnormal = false;
    for (std::size_t i = begin, count; i < end; i += count) {
      count = std::min(block, end - i);
      const auto offset = static_cast<std::ptrdiff_t>(i);
      std::array<const void*, 3> in;
      for (std::size_t k = 0; k < in.size(); ++k) {
        const auto [data, stride] = call.inputs[k];
        const char* const from = static_cast<const char*>(data) + offset * stride;
        in[k] = is_direct(stride) ? static_cast<const void*>(from) : packed[k];
        if (!is_direct(stride)) load_array(call.format, ArrayType::as_format, from, stride, packed[k], count);
      }
      const auto [a, b, g] = in;
      // An output may be an input. The gradient for b comes first, as the other one may take the place of any input.
      std::array<void*, 2> results;
      for (std::size_t k = 0; k < results.size(); ++k) {
        void* const to = static_cast<char*>(call.outputs[k].data) + offset * call.outputs[k].stride;
        results[k] = is_direct(call.outputs[k].stride) && (k == 0 || to != a) ? to : computed[k];
      }
      constexpr kernels::Mode mode = {};
      const std::array of_product = {b, g}, of_a = {a, static_cast<const void*>(product)}, of_b = {a, g};
      const auto has_subnormal = [&] {
        multiply(of_product.data(), product, count, mode);
        return any_subnormal<T>(a, count) || any_subnormal<T>(g, count) || any_subnormal<T>(product, count);
      };
      const bool overwrites = std::ranges::find_first_of(results, in) != results.end();
      is_subnormal = both != nullptr && (is_subnormal || overwrites) && has_subnormal();
      if (both != nullptr && !is_subnormal) {
        both(in.data(), results.data(), count);
        // If the processor's flag shows that it met subnormal numbers, the block is computed again.
        is_subnormal = !overwrites && simd::FloatEnvironment::met_subnormal() && has_subnormal();
      }
      if (both == nullptr || is_subnormal) {
        multiply(of_product.data(), product, count, mode);
        gate(of_b.data(), results[1], count, mode);
        differentiate(of_a.data(), results[0], count, mode);
      }
      for (std::size_t k = 0; k < results.size(); ++k) {
        if (results[k] != computed[k]) continue;
        const auto [data, stride] = call.outputs[k];
        store_array(call.format, computed[k], static_cast<char*>(data) + offset * stride, stride, count);
      }
    }
  });
}

}  // namespace

void run(const GateGradientCall& call, std::size_t n) {
  call.format == kernels::Format::f64 ? run_as<double>(call, n) : run_as<float>(call, n);
}

}  // namespace fastact::runtime
