// The kernels of row functions for AVX2.
#include "simd/avx2.hpp"

#include "kernels/instruction_set.hpp"
#include "kernels/rows/kernel.hpp"

namespace fastact::kernels {

constinit const RowTable avx2_rows = row_kernels<simd::Avx2>();

}  // namespace fastact::kernels
