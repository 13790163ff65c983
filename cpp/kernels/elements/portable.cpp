// The elementwise kernels for every processor.
#include "simd/portable.hpp"

#include "kernels/elements/loop.hpp"
#include "kernels/instruction_set.hpp"

namespace fastact::kernels {

constinit const ElementTable portable_elements = element_kernels<simd::Portable>();

}  // namespace fastact::kernels
