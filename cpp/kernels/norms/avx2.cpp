// The kernels of norms for AVX2.
#include "simd/avx2.hpp"

#include "kernels/instruction_set.hpp"
#include "kernels/norms/kernel.hpp"

namespace fastact::kernels {

constinit const NormEntry avx2_norms = norm_entry<simd::Avx2>();

}  // namespace fastact::kernels
