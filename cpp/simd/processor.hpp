// The instruction sets that the processor supports.
#pragma once

#include <cpuid.h>

namespace fastact::simd {

/// Whether the processor has all these features (bits of cpuid leaf 1, ecx, and leaf 7, ebx) and the system saves these
/// parts of the registers (bits of XCR0). __builtin_cpu_supports reads a table that the runtime libraries of some
/// compilers do not fill.
inline bool processor_has(unsigned leaf1_ecx, unsigned leaf7_ebx, unsigned saved) {
  constexpr unsigned osxsave = 1U << 27;  // required by xgetbv
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (~ecx & (leaf1_ecx | osxsave)) != 0) return false;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (~ebx & leaf7_ebx) != 0) return false;
  asm("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
  return (~eax & saved) == 0;
}

inline bool has_avx2() {  // with FMA3 and F16C
  constexpr unsigned fma = 1U << 12, avx = 1U << 28, f16c = 1U << 29, avx2 = 1U << 5, xmm_ymm = 0x6;
  return processor_has(fma | avx | f16c, avx2, xmm_ymm);
}

inline bool has_avx512() {  // F, DQ, BW and VL
  constexpr unsigned f = 1U << 16, dq = 1U << 17, bw = 1U << 30, vl = 1U << 31;
#ifdef __APPLE__
  constexpr unsigned saved = 0;  // macOS enables the rest when a thread first uses it
#else
  constexpr unsigned saved = 0xE0;  // opmask, zmm0 to 15's upper halves, zmm16 to 31
#endif
  return has_avx2() && processor_has(0, f | dq | bw | vl, saved);
}

}  // namespace fastact::simd
