#include "simd/portable.hpp"
#include "kernels/loops.hpp"

constinit const fastact::InstructionSet fastact::portable = fastact::kernels::instantiate<fastact::simd::Portable>();
