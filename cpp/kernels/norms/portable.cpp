// The kernels of norms for every processor.
#include "simd/portable.hpp"

#include "kernels/instruction_set.hpp"
#include "kernels/norms/kernel.hpp"

namespace fastact::kernels {

constinit const NormEntry portable_norms = norm_entry<simd::Portable>();

}  // namespace fastact::kernels
