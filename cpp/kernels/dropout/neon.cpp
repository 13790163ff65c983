// The kernels of dropout for NEON.
#include "simd/neon.hpp"

#include "kernels/dropout/loop.hpp"
#include "kernels/instruction_set.hpp"

namespace fastact::kernels {

constinit const DropoutEntry neon_dropout = dropout_kernels<simd::Neon>();

}  // namespace fastact::kernels
