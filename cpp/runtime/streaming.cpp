// Finds the size of the last-level cache.
#include "runtime/streaming.hpp"

#include <algorithm>
#include <atomic>
#include <string>

#ifdef __linux__
#include <fstream>
#endif

namespace fastact::runtime {
namespace {

constexpr std::size_t usual = std::size_t{32} << 20;  // if the system does not report a size

/// The size of the largest cache that Linux lists. sysconf() would report the sum of separate caches on some
/// processors.
std::size_t last_level_cache() {
  std::size_t largest = 0;
#ifdef __linux__
  std::size_t kib = 0;
  for (const char* index : {"2", "3", "4"}) {
    std::ifstream size("/sys/devices/system/cpu/cpu0/cache/index" + std::string(index) + "/size");
    if (size >> kib) largest = std::max(largest, kib << 10);
  }
#endif
  return largest > 0 ? largest : usual;
}

std::atomic<std::size_t>& threshold() {
  static std::atomic<std::size_t> bytes{last_level_cache()};
  return bytes;
}

}  // namespace

std::size_t streaming_threshold() { return threshold().load(std::memory_order_relaxed); }

std::size_t set_streaming_threshold(std::size_t bytes) { return threshold().exchange(bytes); }

bool streams(std::span<const void* const> arrays, const void* output, std::size_t n, std::size_t item) {
  return n * item * (arrays.size() + 1) > streaming_threshold() && std::ranges::find(arrays, output) == arrays.end();
}

}  // namespace fastact::runtime
