// The elementwise kernels for NEON.
#include "simd/neon.hpp"

#include "kernels/elements/loop.hpp"
#include "kernels/instruction_set.hpp"

namespace fastact::kernels {

constinit const ElementTable neon_elements = element_kernels<simd::Neon>();

}  // namespace fastact::kernels
