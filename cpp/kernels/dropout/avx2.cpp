// The kernels of dropout for AVX2.
#include "simd/avx2.hpp"

#include "kernels/dropout/loop.hpp"
#include "kernels/instruction_set.hpp"

namespace fastact::kernels {

constinit const DropoutEntry avx2_dropout = dropout_kernels<simd::Avx2>();

}  // namespace fastact::kernels
