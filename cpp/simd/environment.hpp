// The processor's floating-point environment during a call.
#pragma once

#include <cstdint>
#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fastact::simd {

/// As long as this object lives, the processor rounds to nearest, does not flush subnormal numbers to zero, and does
/// not trap. The destructor restores the environment, including the exception flags. A kernel therefore raises no
/// floating-point warning and is not affected by a library that has switched the process to flush-to-zero.
class FloatEnvironment {
 public:
#if defined(__x86_64__)
  // A write to the register costs more than a short kernel. Of the flags, which may stay set meanwhile, only that for
  // subnormal numbers is read.
  FloatEnvironment() : saved_(_mm_getcsr()) {
    if ((saved_ & ~other_flags) != standard) _mm_setcsr(standard);
  }
  ~FloatEnvironment() {
    if (_mm_getcsr() != saved_) _mm_setcsr(saved_);
  }

  /// Whether an operation may have met a subnormal number since the last call. Some emulators never set the flag; there
  /// the result is always true.
  static bool met_subnormal() {
    const bool met = is_flagged();
    if (met) _mm_setcsr(standard);
    static const bool has_flag = [] {
      volatile float least = std::numeric_limits<float>::denorm_min();
      least = least + least;
      const bool flagged = is_flagged();
      _mm_setcsr(standard);
      return flagged;
    }();
    return met || !has_flag;
  }

 private:
  static constexpr unsigned standard = 0x1F80, denormal = 0x2, other_flags = 0x3D;
  static bool is_flagged() { return (_mm_getcsr() & denormal) != 0; }
  unsigned saved_;
#elif defined(__aarch64__)
  FloatEnvironment() {
    asm volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(control_), "=r"(flags_));
    asm volatile("msr fpcr, %0" : : "r"(std::uint64_t{0}));
  }
  ~FloatEnvironment() { asm volatile("msr fpcr, %0\n\tmsr fpsr, %1" : : "r"(control_), "r"(flags_)); }
  static bool met_subnormal() { return true; }  // the processor has no such flag

 private:
  std::uint64_t control_;
  std::uint64_t flags_;
#elif defined(__wasm__)
  // WebAssembly has neither rounding modes nor exception flags.
  FloatEnvironment() {}
  ~FloatEnvironment() {}
  static bool met_subnormal() { return true; }
#else
#error "fastact: this processor's floating-point environment is not known"
#endif
 public:
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;
};

}  // namespace fastact::simd
