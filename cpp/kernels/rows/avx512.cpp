// The kernels of row functions for AVX-512.
#include "simd/avx512.hpp"

#include "kernels/instruction_set.hpp"
#include "kernels/rows/kernel.hpp"

namespace fastact::kernels {

constinit const RowTable avx512_rows = row_kernels<simd::Avx512>();

}  // namespace fastact::kernels
