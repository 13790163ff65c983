// The instruction set NEON.
#include "simd/neon.hpp"

#include "kernels/instruction_set.hpp"

namespace fastact::kernels {

constinit const InstructionSet neon =
    instruction_set<simd::Neon>(neon_elements, neon_rows, neon_norms, neon_dropout, portable_singles);

}  // namespace fastact::kernels
