// The instruction set AVX-512.
#include "simd/avx512.hpp"

#include "kernels/instruction_set.hpp"

namespace fastact::kernels {

constinit const InstructionSet avx512 =
    instruction_set<simd::Avx512>(avx512_elements, avx512_rows, avx512_norms, avx512_dropout, avx2_singles);

}  // namespace fastact::kernels
