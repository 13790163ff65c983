// The kernels that run on every processor.
#include "simd/portable.hpp"

#include "kernels/instruction_set.hpp"

namespace fastact::kernels {

constinit const InstructionSet portable = instruction_set<simd::Portable>(
    portable_elements, portable_rows, portable_norms, portable_dropout, portable_singles);

}  // namespace fastact::kernels
