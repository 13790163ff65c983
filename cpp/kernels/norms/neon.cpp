// The kernels of norms for NEON.
#include "simd/neon.hpp"

#include "kernels/instruction_set.hpp"
#include "kernels/norms/kernel.hpp"

namespace fastact::kernels {

constinit const NormTable neon_norms = norm_kernels<simd::Neon>();

}  // namespace fastact::kernels
