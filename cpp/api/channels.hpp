// The assignment of array elements to the channels of a learnable parameter.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace fastact::api {

/// Throws std::invalid_argument for a call that is not allowed.
[[noreturn]] inline void refuse(std::string_view function, const std::string& what) {
  throw std::invalid_argument(std::string(function) + ": " + what);
}

/// x is [outer][channels][inner]; with one channel, inner is all of x.
struct ChannelLayout {
  std::size_t outer, channels, inner;

  ChannelLayout(std::string_view function, std::size_t size, std::size_t parameter, std::size_t given_inner)
      : channels(parameter), inner(parameter == 1 ? size : given_inner) {
    const std::size_t slice = channels * inner;
    if (slice == 0 ? size != 0 : size % slice != 0) {
      refuse(function, "x has " + std::to_string(size) + " elements; a multiple of channels * inner = " +
                           std::to_string(channels) + " * " + std::to_string(inner) + " is required");
    }
    outer = slice == 0 ? 0 : size / slice;
  }
};

}  // namespace fastact::api
