#include "simd/avx2.hpp"
#include "kernels/loops.hpp"

constinit const fastact::InstructionSet fastact::avx2 = fastact::kernels::instantiate<fastact::simd::Avx2>();
