#include "simd/portable.hpp"
#include "kernels/instantiate.hpp"

constinit const fastact::InstructionSet fastact::portable = fastact::kernels::instantiate<fastact::simd::Portable>();
