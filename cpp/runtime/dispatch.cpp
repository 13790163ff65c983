// Chooses one of the instruction sets that are part of the build and supported by the processor.
#include "runtime/dispatch.hpp"

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace fastact::runtime {

using kernels::InstructionSet;

namespace {

const InstructionSet& find(std::string_view name) {
  std::string names;
  for (const InstructionSet* set : available()) {
    if (set->name == name) return *set;
    names.append(names.empty() ? "" : ", ").append(set->name);
  }
  throw std::invalid_argument("instruction set '" + std::string(name) + "' is not available here; available: " + names);
}

const InstructionSet& initial() {
  const char* wish = std::getenv("FASTACT_ISA");
  if (wish == nullptr || *wish == '\0') return *available().front();
  try {
    return find(wish);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(std::string("FASTACT_ISA: ") + error.what());
  }
}

std::atomic<const InstructionSet*>& chosen() {
  static std::atomic<const InstructionSet*> set{&initial()};
  return set;
}

}  // namespace

std::vector<const InstructionSet*> built() {
  return {
#if defined(FASTACT_PORTABLE)
#elif defined(__x86_64__)
#if defined(FASTACT_AVX512)
      &kernels::avx512,
#endif
      &kernels::avx2,
#elif defined(__aarch64__)
      &kernels::neon,
#endif
      &kernels::portable};
}

std::vector<const InstructionSet*> available() {
  std::vector<const InstructionSet*> sets = built();
  std::erase_if(sets, [](const InstructionSet* set) { return !set->supported(); });
  return sets;
}

const InstructionSet& current() { return *chosen().load(std::memory_order_relaxed); }

void use(std::string_view name) { chosen().store(&find(name), std::memory_order_relaxed); }

}  // namespace fastact::runtime
