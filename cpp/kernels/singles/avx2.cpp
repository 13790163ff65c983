// Functions of one number for processors with AVX2 and FMA, and of one register. Compilers prefer these registers on
// processors with AVX-512, too.
#include "simd/avx2.hpp"
#include "kernels/singles/singles.hpp"

namespace fastact::kernels {

constinit const Singles avx2_singles = {
    .f32 = single<simd::Portable, float>,
    .f64 = single<simd::Portable, double>,
#ifndef _WIN32  // whose calling convention passes registers by reference
    .vector_f32 = single<simd::Avx2, float>,
    .vector_f64 = single<simd::Avx2, double>,
    .vector_bytes = 32,
#endif
};

}  // namespace fastact::kernels
