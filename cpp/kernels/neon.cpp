#include "simd/neon.hpp"
#include "kernels/instantiate.hpp"

constinit const fastact::InstructionSet fastact::neon = fastact::kernels::instantiate<fastact::simd::Neon>();
