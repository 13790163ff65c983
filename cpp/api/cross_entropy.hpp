// The cross-entropies with all options, for the C++ and C functions.
#pragma once

#include <fastact/fastact.hpp>

#include <optional>

namespace fastact::api {

/// Either labels or probabilities are given, and what is wanted of loss and dx; without g it is 1.
template <class T>
struct CrossEntropyCall {
  std::span<const T> x;
  Axis axis;
  CrossEntropy<T> options = {};
  std::optional<std::span<const std::int64_t>> labels = {};
  std::optional<std::span<const T>> probabilities = {};
  std::optional<std::span<const T>> g = {};
  std::optional<std::span<T>> loss = {}, dx = {};
};

void compute(const CrossEntropyCall<float>& call, const char* function);
void compute(const CrossEntropyCall<double>& call, const char* function);

}  // namespace fastact::api
