// The kernels of row functions for every processor.
#include "simd/portable.hpp"

#include "kernels/instruction_set.hpp"
#include "kernels/rows/kernel.hpp"

namespace fastact::kernels {

constinit const RowTable portable_rows = row_kernels<simd::Portable>();

}  // namespace fastact::kernels
