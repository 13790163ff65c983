// The search for subnormal numbers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

#include "math/subnormal.hpp"

namespace fastact::kernels {
namespace {

/// Whether any of n contiguous numbers is subnormal, as a number of V.
template <class V, class S>
bool any_subnormal(const S* p, std::size_t n) {
  constexpr std::size_t at_once = 512;
  const V zero = 0.0, infinity = std::numeric_limits<double>::infinity();
  const V least_normal = math::Subnormal<typename V::Element>::least_normal;
  for (std::size_t begin = 0; begin < n; begin += at_once) {
    const std::size_t end = std::min(n, begin + at_once);
    V least = infinity;
    const auto meet = [&](V x) { least = min(select(x == zero, infinity, abs(x)), least); };
    std::size_t i = begin;
    for (; i + V::size <= end; i += V::size) meet(V::load(p + i));
    if (i < end) meet(V::load(p + i, end - i));
    if (!all(least >= least_normal)) return true;
  }
  return false;
}

}  // namespace
}  // namespace fastact::kernels
