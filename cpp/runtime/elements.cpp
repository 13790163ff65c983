// Splits an elementwise call among threads, and packs and converts strided or other data block by block.
#include "runtime/elements.hpp"

#include <algorithm>
#include <span>

#include "runtime/packing.hpp"
#include "runtime/streaming.hpp"
#include "runtime/threads.hpp"

namespace fastact::runtime {
namespace {

using kernels::Format;

/// The part of a call that all threads share; T is the type in which the kernel computes.
template <class T>
class Elements {
 public:
  explicit Elements(const ElementCall& call) : call_(call), inputs_(call.arrays + call.parameters) {
    const auto parameters = std::span(call.inputs).subspan(call.arrays, call.parameters);
    uniform_ = std::ranges::all_of(parameters, [](const Strided& p) { return p.stride == 0; });
    varying_ = uniform_ ? call.arrays : inputs_;
    stores_directly_ = call.format == format<T> && call.output_stride == sizeof(T);
    direct_ = stores_directly_;
    for (std::size_t k = 0; k < varying_; ++k) direct_ = direct_ && loads_directly(k);
    const auto is_half = [](const Strided& a) { return a.stride == kernels::size_of(Format::f16); };
    is_half_ = call.half != nullptr && call.array_type == ArrayType::as_format && uniform_ &&
               std::ranges::all_of(std::span(call.inputs).first(call.arrays), is_half) &&
               is_half({nullptr, call.output_stride});
  }

  void run(std::size_t n) const {
    std::array<const void*, kernels::most_inputs> arrays;
    for (std::size_t k = 0; k < call_.arrays; ++k) arrays[k] = call_.inputs[k].data;
    const bool streaming = direct_ && streams(std::span(arrays).first(call_.arrays), call_.output, n, sizeof(T));
    const kernels::Mode mode = {.uniform = uniform_, .streaming = streaming};
    split(n, {call_.cost}, [&](std::size_t begin, std::size_t end) { compute(begin, end, mode); });
  }

 private:
  using Inputs = std::array<const void*, kernels::most_inputs>;

  const ElementCall& call_;
  std::size_t inputs_, varying_;  // the first `varying_` inputs vary from element to element
  bool uniform_, stores_directly_;
  bool direct_, is_half_;  // whether the kernel, or that for half precision, is given the arrays as they are

  bool loads_directly(std::size_t k) const {
    const bool is_stored_so = k < call_.arrays ? call_.format == format<T> && call_.array_type == ArrayType::as_format
                                               : call_.parameter_type == ParameterType::computed;
    return is_stored_so && call_.inputs[k].stride == sizeof(T);
  }
  const char* at(std::size_t k, std::size_t i) const {
    return static_cast<const char*>(call_.inputs[k].data) + static_cast<std::ptrdiff_t>(i) * call_.inputs[k].stride;
  }
  void load(std::size_t k, std::size_t i, T* to, std::size_t count) const {
    const char* const from = at(k, i);
    const std::ptrdiff_t stride = call_.inputs[k].stride;
    if (k >= call_.arrays) {
      switch (call_.parameter_type) {
        case ParameterType::computed:
          return pack<T>(from, stride, to, count);
        case ParameterType::float64:
          return pack<double>(from, stride, to, count);
        case ParameterType::extended:
          return pack_extended(from, stride, to, count);
      }
    }
    load_array(call_.format, call_.array_type, from, stride, to, count);
  }

  char* output(std::size_t i) const {
    return static_cast<char*>(call_.output) + static_cast<std::ptrdiff_t>(i) * call_.output_stride;
  }

  void compute(std::size_t begin, std::size_t end, kernels::Mode mode) const {
    T parameters[kernels::most_parameters];
    Inputs from;
    for (std::size_t k = varying_; k < inputs_; ++k) {
      from[k] = &parameters[k - varying_];
      load(k, 0, &parameters[k - varying_], 1);
    }
    if (!direct_ && !is_half_) return compute_in_blocks(from, begin, end, mode);
    for (std::size_t k = 0; k < varying_; ++k) from[k] = at(k, begin);
    (is_half_ ? call_.half : call_.kernel)(from.data(), output(begin), end - begin, mode);
  }
  /// Slow path for strided or converted operands; noinline keeps its buffers off the stack of the fast path.
  [[gnu::noinline]] void compute_in_blocks(Inputs from, std::size_t begin, std::size_t end, kernels::Mode mode) const {
    alignas(64) T buffers[kernels::most_inputs][block], results[block];
    for (std::size_t i = begin, count; i < end; i += count) {
      count = std::min(block, end - i);
      for (std::size_t k = 0; k < varying_; ++k) {
        from[k] = loads_directly(k) ? static_cast<const void*>(at(k, i)) : buffers[k];
        if (!loads_directly(k)) load(k, i, buffers[k], count);
      }
      call_.kernel(from.data(), stores_directly_ ? static_cast<void*>(output(i)) : results, count, mode);
      if (!stores_directly_) store_array(call_.format, results, output(i), call_.output_stride, count);
    }
  }
};

}  // namespace

void run(const ElementCall& call, std::size_t n) {
  call.format == Format::f64 ? Elements<double>(call).run(n) : Elements<float>(call).run(n);
}

}  // namespace fastact::runtime
