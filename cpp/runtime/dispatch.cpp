#include "runtime/dispatch.hpp"

#include <fastact/fastact.hpp>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace fastact {
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
#if defined(__x86_64__)
      &avx512, &avx2,
#elif defined(__aarch64__)
      &neon,
#endif
      &portable};
}

std::vector<const InstructionSet*> available() {
  std::vector<const InstructionSet*> sets = built();
  std::erase_if(sets, [](const InstructionSet* set) { return !set->supported(); });
  return sets;
}

const InstructionSet& current() { return *chosen().load(std::memory_order_relaxed); }

void use(std::string_view name) { chosen().store(&find(name), std::memory_order_relaxed); }

std::vector<std::string_view> instruction_sets() {
  std::vector<std::string_view> names;
  for (const InstructionSet* set : available()) names.push_back(set->name);
  return names;
}

std::string_view instruction_set() { return current().name; }

void set_instruction_set(std::string_view name) { use(name); }

}  // namespace fastact
