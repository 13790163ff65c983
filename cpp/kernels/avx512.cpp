#include "simd/avx512.hpp"
#include "kernels/instantiate.hpp"

constinit const fastact::InstructionSet fastact::avx512 = fastact::kernels::instantiate<fastact::simd::Avx512>();
