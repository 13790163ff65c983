#include "simd/neon.hpp"
#include "kernels/loops.hpp"

constinit const fastact::InstructionSet fastact::neon = fastact::kernels::instantiate<fastact::simd::Neon>();
