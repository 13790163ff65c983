// The C++ functions that choose threads and instruction set.
#include <fastact/fastact.hpp>

#include "runtime/dispatch.hpp"
#include "runtime/threads.hpp"

namespace fastact {

void set_num_threads(int n) { runtime::set_num_threads(n); }
int get_num_threads() { return runtime::get_num_threads(); }

std::vector<std::string_view> instruction_sets() {
  std::vector<std::string_view> names;
  for (const kernels::InstructionSet* set : runtime::available()) names.push_back(set->name);
  return names;
}
std::string_view instruction_set() { return runtime::current().name; }
void set_instruction_set(std::string_view name) { runtime::use(name); }

}  // namespace fastact
