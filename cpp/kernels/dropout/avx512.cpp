// The kernels of dropout for AVX-512.
#include "simd/avx512.hpp"

#include "kernels/dropout/loop.hpp"
#include "kernels/instruction_set.hpp"

namespace fastact::kernels {

constinit const DropoutEntry avx512_dropout = dropout_kernels<simd::Avx512>();

}  // namespace fastact::kernels
