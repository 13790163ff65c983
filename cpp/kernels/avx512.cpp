#include "simd/avx512.hpp"
#include "kernels/loops.hpp"

constinit const fastact::InstructionSet fastact::avx512 = fastact::kernels::instantiate<fastact::simd::Avx512>();
