// Passes the parameter of each channel to the kernel, either for a run of its elements or expanded block by block.
#include "runtime/channels.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "runtime/streaming.hpp"
#include "runtime/threads.hpp"

namespace fastact::runtime {
namespace {

/// The number of elements whose parameters are expanded at a time, and the number of elements of one channel from which
/// the kernel is called for each channel; the latter is larger for arrays that are converted.
constexpr std::size_t channel_block = 2048, least_run = 64, least_converted_run = 1024;
/// The number of elements filled at a time, a constant, so that compilers unroll the stores.
constexpr std::size_t fill = 16;

/// Iterates over the channels of consecutive elements.
class Walk {
 public:
  Walk(Channels channels, std::size_t begin)
      : channels_(channels),
        channel_(begin / channels.inner % channels.count),
        left_(channels.inner - begin % channels.inner) {}

  std::size_t channel() const { return channel_; }
  /// Advances by at most this many elements: to the end of the current channel or, if every element has its own
  /// channel, to the last channel. Returns the number of elements.
  std::size_t next(std::size_t most) {
    const bool each = channels_.inner == 1;
    const std::size_t count = std::min(most, each ? channels_.count - channel_ : left_);
    if (!each) left_ -= count;
    channel_ += each ? count : left_ == 0 ? 1 : 0;
    if (left_ == 0) left_ = channels_.inner;
    if (channel_ == channels_.count) channel_ = 0;
    return count;
  }

 private:
  Channels channels_;
  std::size_t channel_, left_;  // the number of elements left in the channel
};

template <class T>
void run_as(const ElementCall& call, Channels channels, std::size_t n) {
  const auto* const parameter = static_cast<const T*>(call.inputs[call.arrays].data);
  std::array<const void*, kernels::most_inputs> arrays;
  for (std::size_t k = 0; k < call.arrays; ++k) arrays[k] = call.inputs[k].data;
  const auto item = static_cast<std::size_t>(kernels::size_of(call.format));
  // The kernel for the arrays as they are, if there is one.
  const kernels::Kernel kernel = call.format == format<T> ? call.kernel : call.half;
  const bool streaming =
      call.format == format<T> && streams(std::span(arrays).first(call.arrays), call.output, n, sizeof(T));
  const std::size_t period = channels.count * channels.inner;
  const bool is_uniform = channels.inner >= (kernel == nullptr ? least_converted_run : least_run);
  const bool is_contiguous = channels.inner == 1 && channels.count >= channel_block;
  split(n, {call.cost}, [&](std::size_t begin, std::size_t end) {
    alignas(64) T expanded[channel_block + fill];
    Walk walk(channels, begin);
    const auto expand = [&](std::size_t count) {
      for (std::size_t i = 0; i < count;) {
        const T* const p = parameter + walk.channel();
        const std::size_t same = walk.next(count - i);
        if (channels.inner == 1) {
          std::copy_n(p, same, expanded + i);
        } else {
          for (std::size_t k = 0; k < same; k += fill) std::fill_n(expanded + i + k, fill, *p);
        }
        i += same;
      }
    };
    for (std::size_t i = begin, count; i < end; i += count) {
      const T* p = parameter + walk.channel();
      if (is_uniform || is_contiguous) {
        count = walk.next(end - i);
      } else {
        // As many whole periods as fit into a block are expanded only once.
        count = std::min(end - i, period <= channel_block ? channel_block / period * period : channel_block);
        if (i == begin || period > channel_block) expand(count);
        p = expanded;
      }
      std::array<const void*, kernels::most_inputs> from;
      for (std::size_t k = 0; k < call.arrays; ++k) from[k] = static_cast<const char*>(arrays[k]) + i * item;
      from[call.arrays] = p;
      char* const to = static_cast<char*>(call.output) + i * item;
      if (kernel != nullptr) {
        kernel(from.data(), to, count, {.uniform = is_uniform, .streaming = streaming});
      } else {
        ElementCall part = call;
        for (std::size_t k = 0; k <= call.arrays; ++k) part.inputs[k].data = from[k];
        part.inputs[call.arrays].stride = is_uniform ? 0 : sizeof(T);
        part.output = to;
        runtime::run(part, count);
      }
    }
  });
}

}  // namespace

void run(const ElementCall& call, Channels channels, std::size_t n) {
  call.format == kernels::Format::f64 ? run_as<double>(call, channels, n) : run_as<float>(call, channels, n);
}

}  // namespace fastact::runtime
