// The replacement of threads.cpp and workers.cpp on systems without threads.
#include <stdexcept>
#include <string>

#include "runtime/threads.hpp"
#include "simd/environment.hpp"

namespace fastact::runtime {

void set_num_threads(int n) {
  if (n < 1) throw std::invalid_argument("n is " + std::to_string(n) + "; n >= 1 is required");
}
int get_num_threads() { return 1; }
bool has_openmp() { return false; }
std::size_t set_grain(std::size_t picoseconds) { return picoseconds; }

void split(std::size_t n, Work, void (*body)(const void*, std::size_t, std::size_t), const void* context) {
  const simd::FloatEnvironment clean;
  body(context, 0, n);
}

}  // namespace fastact::runtime
