// The elementwise kernels for AVX-512.
#include "simd/avx512.hpp"

#include "kernels/elements/loop.hpp"
#include "kernels/instruction_set.hpp"

namespace fastact::kernels {

constinit const ElementTable avx512_elements = element_kernels<simd::Avx512>();

}  // namespace fastact::kernels
