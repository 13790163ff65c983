// The floating-point environment in which callers compute what no kernel does.
#pragma once

#include "simd/environment.hpp"

namespace fastact::runtime {

using simd::FloatEnvironment;

}  // namespace fastact::runtime
