// Functions of one number for every processor.
#include "kernels/singles/singles.hpp"

namespace fastact::kernels {

constinit const Singles portable_singles = {.f32 = single<simd::Portable, float>,
                                            .f64 = single<simd::Portable, double>};

}  // namespace fastact::kernels
