#include "simd/avx2.hpp"
#include "kernels/instantiate.hpp"

constinit const fastact::InstructionSet fastact::avx2 = fastact::kernels::instantiate<fastact::simd::Avx2>();
