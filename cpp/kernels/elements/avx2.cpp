// The elementwise kernels for AVX2.
#include "simd/avx2.hpp"

#include "kernels/elements/loop.hpp"
#include "kernels/instruction_set.hpp"

namespace fastact::kernels {

constinit const ElementTable avx2_elements = element_kernels<simd::Avx2>();

}  // namespace fastact::kernels
