// The instruction set AVX2.
#include "simd/avx2.hpp"

#include "kernels/instruction_set.hpp"

namespace fastact::kernels {

constinit const InstructionSet avx2 =
    instruction_set<simd::Avx2>(avx2_elements, avx2_rows, avx2_norms, avx2_dropout, avx2_singles);

}  // namespace fastact::kernels
