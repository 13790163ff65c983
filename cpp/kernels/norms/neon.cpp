// The kernels of norms for NEON.
#include "simd/neon.hpp"

#include "kernels/instruction_set.hpp"
#include "kernels/norms/kernel.hpp"

namespace fastact::kernels {

constinit const NormEntry neon_norms = norm_entry<simd::Neon>();

}  // namespace fastact::kernels
