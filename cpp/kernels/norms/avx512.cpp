// The kernels of norms for AVX-512.
#include "simd/avx512.hpp"

#include "kernels/instruction_set.hpp"
#include "kernels/norms/kernel.hpp"

namespace fastact::kernels {

constinit const NormEntry avx512_norms = norm_entry<simd::Avx512>();

}  // namespace fastact::kernels
