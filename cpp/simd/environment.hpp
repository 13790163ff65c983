#pragma once

#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fastact::simd {

/// Round to nearest, subnormals kept, no traps, for as long as the object lives; then everything, the exception flags
/// included, is as it was. So a kernel neither raises a floating-point warning nor suffers from a library that has
/// switched the process to flush-to-zero.
class FloatEnvironment {
 public:
#if defined(__x86_64__)
  FloatEnvironment() : saved_(_mm_getcsr()) {
    if (saved_ != standard) _mm_setcsr(standard);
  }
  ~FloatEnvironment() { _mm_setcsr(saved_); }

  /// Whether an operation may have met a subnormal number since this was last asked.
  static bool met_subnormal() {
    const bool met = is_told();
    if (met) _mm_setcsr(standard);
    static const bool ever_told = [] {
      volatile float least = std::numeric_limits<float>::denorm_min();
      least = least + least;
      const bool told = is_told();
      _mm_setcsr(standard);
      return told;  // some emulators never tell
    }();
    return met || !ever_told;
  }

 private:
  static constexpr unsigned standard = 0x1F80, denormal = 0x2;
  static bool is_told() { return (_mm_getcsr() & denormal) != 0; }
  unsigned saved_;
#elif defined(__aarch64__)
  FloatEnvironment() {
    asm volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(control_), "=r"(flags_));
    asm volatile("msr fpcr, %0" : : "r"(0UL));
  }
  ~FloatEnvironment() { asm volatile("msr fpcr, %0\n\tmsr fpsr, %1" : : "r"(control_), "r"(flags_)); }
  static bool met_subnormal() { return true; }  // which the processor does not tell

 private:
  unsigned long control_;
  unsigned long flags_;
#else
#error "fastact: this processor's floating-point environment is not known"
#endif
 public:
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;
};

}  // namespace fastact::simd
