// The kernels of dropout for every processor.
#include "simd/portable.hpp"

#include "kernels/dropout/loop.hpp"
#include "kernels/instruction_set.hpp"

namespace fastact::kernels {

constinit const DropoutEntry portable_dropout = dropout_kernels<simd::Portable>();

}  // namespace fastact::kernels
