// The kernels of row functions for NEON.
#include "simd/neon.hpp"

#include "kernels/instruction_set.hpp"
#include "kernels/rows/kernel.hpp"

namespace fastact::kernels {

constinit const RowTable neon_rows = row_kernels<simd::Neon>();

}  // namespace fastact::kernels
